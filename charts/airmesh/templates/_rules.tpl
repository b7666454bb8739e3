{{/* What is read and written in each namespace that is watched. docs/security.md has the same as a table. */}}
{{- define "airmesh.watchRules" -}}
# Policies.
- apiGroups: [airmesh.dev]
  resources: [aiproviders, airoutes, aibudgets]
  verbs: [get, list, watch]
# Only the status: no controller changes what a person wrote.
- apiGroups: [airmesh.dev]
  resources: [aiproviders/status, airoutes/status, aibudgets/status]
  verbs: [get, update, patch]
# Which workload a sidecar belongs to, and whether a token's pod still lives.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
# Events about policies: a budget's threshold, a route that was refused.
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if eq .Values.interception.egress "Enforced" }}
# Where providers in the cluster are, by which nothing else is called past a sidecar. Each is asked for by its name.
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
{{- end }}
{{- end -}}
