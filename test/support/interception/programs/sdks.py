# The official SDKs as their documentation shows them: no base URL, no key but what the environment has.
import json

import anthropic
import openai
import requests
from google import genai

question = [{"role": "user", "content": "What is the weather in Berlin?"}]
client = openai.OpenAI()
answer = client.chat.completions.create(model="gpt-4.1", messages=question)
stream = client.chat.completions.create(model="gpt-4.1", messages=question, stream=True)
message = anthropic.Anthropic().messages.create(model="claude-sonnet-4.5", max_tokens=100, messages=question)
google = genai.Client()
content = google.models.generate_content(model="gemini-2.5-flash", contents="hello")
plain = requests.post("https://api.openai.com/v1/chat/completions", json={"model": "gpt-4.1", "messages": question})
print(json.dumps({
    "answer": answer.choices[0].message.content,
    "streamed": "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices),
    "message": message.content[0].text,
    "content": content.text,
    "requests": plain.json()["choices"][0]["message"]["content"],
}))
