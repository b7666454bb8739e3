{{/* The command line of a controller. */}}
{{- define "airmesh.controllerArgs" -}}
- controller
- --log-level={{ .Values.controller.logLevel }}
- --log-format=json
{{- end -}}
