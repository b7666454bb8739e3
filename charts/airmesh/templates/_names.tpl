{{- define "airmesh.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "airmesh.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "airmesh.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "airmesh.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "airmesh.selector" -}}
app.kubernetes.io/name: {{ include "airmesh.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "airmesh.labels" -}}
app.kubernetes.io/name: {{ include "airmesh.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: airmesh
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "airmesh.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "airmesh.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "airmesh.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* How many controllers. SQLite takes one. */}}
{{- define "airmesh.replicas" -}}
{{- $several := eq .Values.store.kind "postgres" -}}
{{- $replicas := int .Values.controller.replicas -}}
{{- if and (not $several) (gt $replicas 1) -}}
{{- fail (printf "controller.replicas: %d needs store.kind: postgres; %s serves one controller" $replicas .Values.store.kind) -}}
{{- end -}}
{{- if eq $replicas 0 -}}{{ ternary 3 1 $several }}{{- else -}}{{ $replicas }}{{- end -}}
{{- end -}}

{{/* Cluster-wide, so the namespace is in its name. API servers ask webhooks in the order of their names: before those of meshes. */}}
{{- define "airmesh.webhook" -}}
{{- printf "airmesh-injector.%s.%s" (include "airmesh.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "airmesh.subject" -}}
- kind: ServiceAccount
  name: {{ include "airmesh.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
