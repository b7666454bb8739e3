import os
from anthropic import Anthropic

client = Anthropic(base_url="http://127.0.0.1:4000", api_key="any")
with client.messages.stream(
    model=os.environ.get("MODEL", "gpt-4.1"),
    max_tokens=200,
    messages=[{"role": "user", "content": "What is a sidecar?"}],
) as stream:
    print("".join(stream.text_stream))
