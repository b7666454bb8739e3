#!/bin/sh
# -N shows a stream as it comes.
curl -sS --fail-with-body -N http://127.0.0.1:4000/v1/messages \
  -H 'content-type: application/json' -H 'anthropic-version: 2023-06-01' \
  -d "{\"model\": \"${MODEL:-gpt-4.1}\", \"max_tokens\": 200, \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"What is a sidecar?\"}]}"
