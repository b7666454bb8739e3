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
{{- if .Values.certManager.enabled }}
- --tls-folder=/etc/airmesh-tls
{{- end }}
- --listen={{ $any }}:15010
- --admin={{ $any }}:15012
{{- if eq .Values.store.kind "sqlite" }}
- --store=sqlite:/var/lib/airmesh/ledger.db
{{- else if eq .Values.store.kind "memory" }}
- "--store=memory:"
{{- end }}
{{- with .Values.watchNamespaces }}
- --namespaces={{ join "," . }}
{{- end }}
{{- if .Values.injector.enabled }}
- --injector=/etc/airmesh/injector.yaml
{{- with .Values.interception }}
# Whether connections are redirected is the injector's to say, pod by pod; what becomes of them is said here.
- --egress={{ .egress }}
- --cluster-domain={{ .clusterDomain }}
{{- with .passHosts }}
- --pass-hosts={{ join "," . }}
{{- end }}
{{- with .refuseHosts }}
- --refuse-hosts={{ join "," . }}
{{- end }}
{{- with .webSocketHosts }}
- --web-socket-hosts={{ join "," . }}
{{- end }}
{{- with .networks }}
- --networks={{ join "," . }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.gateway.enabled (not .Values.gateway.configMap) }}
- --gateway={{ include "airmesh.fullname" . }}-gateway
- --roots={{ include "airmesh.fullname" . }}-roots
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
# Nothing may leave around the sidecar where only what is declared may leave at all. Beside a mesh, what it carries is the mesh's to refuse.
interceptedPorts: {{ if and (eq .Values.interception.egress "Enforced") (not .Values.mesh) }}all{{ else }}{{ toJson .Values.injector.interceptedPorts }}{{ end }}
authorities: {{ .Values.interception.authoritiesConfigMap }}
{{ omit .Values.injector "interceptedPorts" "podSecurityDefault" "enabled" "failurePolicy" "timeoutSeconds" "excludedNamespaces" "sidecar" | merge (deepCopy .Values.injector.sidecar) | toYaml }}
{{- end -}}
