import os
from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:4000/v1", api_key="any")
stream = client.chat.completions.create(
    model=os.environ.get("MODEL", "claude-sonnet-4.5"),
    messages=[{"role": "user", "content": "What is a sidecar?"}],
    stream=True,
)
print("".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices))
