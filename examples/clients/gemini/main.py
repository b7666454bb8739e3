import os
from google import genai

client = genai.Client(api_key="any", http_options={"base_url": "http://127.0.0.1:4000"})
stream = client.models.generate_content_stream(
    model=os.environ.get("MODEL", "deepseek-v3.2"),
    contents="What is a sidecar?",
)
print("".join(chunk.text or "" for chunk in stream))
