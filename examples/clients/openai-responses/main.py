import os
from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:4000/v1", api_key="any")
response = client.responses.create(
    model=os.environ.get("MODEL", "gemini-2.5-flash"),
    input="What is a sidecar?",
    store=False,
)
print(response.output_text)
