#!/bin/sh
# -N shows a stream as it comes.
curl -sS --fail-with-body -N http://127.0.0.1:4000/v1/chat/completions \
  -H 'content-type: application/json' \
  -d "{\"model\": \"${MODEL:-claude-sonnet-4.5}\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"What is a sidecar?\"}]}"
