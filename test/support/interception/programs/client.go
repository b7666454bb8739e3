// net/http as it comes: HTTP/2 over TLS, HTTP/1.1 without.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	results := map[string]string{}
	for name, url := range map[string]string{"https": "https://api.openai.com/v1/chat/completions", "http": "http://api.openai.com/v1/chat/completions"} {
		answer, err := http.Post(url, "application/json", strings.NewReader(`{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"}]}`))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		body, _ := io.ReadAll(answer.Body)
		results[name] = fmt.Sprintf("%d %s", answer.StatusCode, answer.Proto)
		if answer.StatusCode != 200 {
			fmt.Fprintln(os.Stderr, string(body))
		}
	}
	json.NewEncoder(os.Stdout).Encode(results)
}
