#!/bin/sh
# -N shows a stream as it comes.
curl -sS --fail-with-body -N "http://127.0.0.1:4000/v1beta/models/${MODEL:-deepseek-v3.2}:streamGenerateContent?alt=sse" \
  -H 'content-type: application/json' \
  -d '{"contents": [{"role": "user", "parts": [{"text": "What is a sidecar?"}]}]}'
