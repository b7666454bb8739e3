{{/* The command line of a controller. */}}
{{- define "airmesh.controllerArgs" -}}
{{- $any := ternary "[::]" "0.0.0.0" .Values.controller.ipv6 -}}
- controller
- --kubernetes
- --root-namespace={{ .Release.Namespace }}
- --lease={{ include "airmesh.fullname" . }}
- --authorities={{ include "airmesh.fullname" . }}-authorities
- --views={{ include "airmesh.fullname" . }}-views
- --service={{ include "airmesh.fullname" . }}
- --listen={{ $any }}:15010
- --admin={{ $any }}:15012
{{- if eq .Values.store.kind "sqlite" }}
- --store=sqlite:/var/lib/airmesh/ledger.db
{{- else if eq .Values.store.kind "postgres" }}
# The kubelet puts the Secret's text here.
- --store=$(AIRMESH_STORE)
{{- else }}
- "--store=memory:"
{{- end }}
{{- with .Values.watchNamespaces }}
- --namespaces={{ join "," . }}
{{- end }}
{{- if .Values.injector.enabled }}
- --injector=/etc/airmesh/injector.yaml
{{- end }}
{{- with .Values.mesh }}
- --mesh={{ lower . }}
{{- end }}
- --log-level={{ .Values.controller.logLevel }}
- --log-format=json
{{- end -}}

{{/* What the injector is told, as its file. */}}
{{- define "airmesh.injectorFile" -}}
webhook: {{ include "airmesh.webhook" . }}
image: {{ include "airmesh.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
controllers: ["{{ include "airmesh.fullname" . }}-controllers.{{ .Release.Namespace }}.svc:15010"]
{{ omit .Values.injector "enabled" "failurePolicy" "timeoutSeconds" "excludedNamespaces" "sidecar" | merge (deepCopy .Values.injector.sidecar) | toYaml }}
{{- end -}}
