{{- define "airmesh.gatewaySelector" -}}
app.kubernetes.io/name: {{ include "airmesh.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: gateway
{{- end -}}
