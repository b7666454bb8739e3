#!/bin/sh
curl -sS --fail-with-body http://127.0.0.1:4000/v1/responses \
  -H 'content-type: application/json' \
  -d "{\"model\": \"${MODEL:-gemini-2.5-flash}\", \"input\": \"What is a sidecar?\", \"store\": false}"
