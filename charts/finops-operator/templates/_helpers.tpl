{{- define "finops-operator.fullname" -}}
{{- if contains "finops-operator" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-finops-operator" (.Release.Name | trunc 24 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "finops-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: finops-operator
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{ include "finops-operator.selector" . }}
{{- end -}}

{{- define "finops-operator.selector" -}}
app.kubernetes.io/name: finops-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "finops-operator.operatorServiceAccountName" -}}
{{ include "finops-operator.fullname" . }}
{{- end -}}

{{- define "finops-operator.slackbotServiceAccountName" -}}
{{ include "finops-operator.fullname" . }}-slackbot
{{- end -}}

{{- define "finops-operator.valkeyName" -}}
{{ include "finops-operator.fullname" . }}-valkey
{{- end -}}

{{- define "finops-operator.secretName" -}}
{{ include "finops-operator.fullname" . }}-generated
{{- end -}}

{{- define "finops-operator.imagePrefix" -}}
{{- with .Values.image.registry | trimSuffix "/" }}{{ . }}/{{ end -}}
{{- end -}}

{{- define "finops-operator.operatorImage" -}}
{{ include "finops-operator.imagePrefix" . }}finops-operator:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "finops-operator.slackbotImage" -}}
{{ include "finops-operator.imagePrefix" . }}finops-slackbot:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "finops-operator.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "finops-operator.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Exactly one store must be named: a value that says another one would be ignored, and none leaves nothing to run on. */}}
{{- define "finops-operator.refuseImpossibleStores" -}}
{{- $named := list -}}
{{- with .Values.redis.url }}{{ $named = append $named "redis.url" }}{{ end -}}
{{- with .Values.redis.existingSecret }}{{ $named = append $named "redis.existingSecret" }}{{ end -}}
{{- if and .Values.valkey.enabled $named -}}
{{- fail (printf "%s would be ignored, because valkey.enabled is true: set valkey.enabled=false to use that store, or remove %s to use the chart's own" (join " and " $named) (join " and " $named)) -}}
{{- else if not (or .Values.valkey.enabled $named) -}}
{{- fail "valkey.enabled is false and no other store is named: set redis.existingSecret to a Secret with the key FINOPS_REDIS_URL, or redis.url to redis://HOST:6379/0" -}}
{{- else if gt (len $named) 1 -}}
{{- fail "redis.url and redis.existingSecret both name a store: remove one of them" -}}
{{- end -}}
{{- end -}}

{{/* The store's address for one user of it. With our own Valkey the password comes from the generated secret. */}}
{{- define "finops-operator.storeEnv" -}}
{{- $root := .root -}}
{{- include "finops-operator.refuseImpossibleStores" $root -}}
{{- if $root.Values.valkey.enabled }}
- name: FINOPS_STORE_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "finops-operator.secretName" $root }}
      key: {{ .user }}-password
- name: FINOPS_REDIS_URL
  value: "redis://{{ .user }}:$(FINOPS_STORE_PASSWORD)@{{ include "finops-operator.valkeyName" $root }}:6379/0"
{{- else if $root.Values.redis.existingSecret }}
- name: FINOPS_REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ $root.Values.redis.existingSecret }}
      key: FINOPS_REDIS_URL
{{- else }}
- name: FINOPS_REDIS_URL
  value: {{ $root.Values.redis.url | quote }}
{{- end }}
{{- end -}}

{{- define "finops-operator.commonEnv" -}}
- name: FINOPS_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: FINOPS_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: FINOPS_RELEASE
  value: {{ include "finops-operator.fullname" . }}
- name: FINOPS_LOG_FORMAT
  value: {{ .Values.log.format }}
- name: FINOPS_LOG_LEVEL
  value: {{ .Values.log.level }}
- name: FINOPS_STORE_ALLOW_VOLATILE
  value: {{ .Values.store.allowVolatile | quote }}
- name: FINOPS_WATCH_NAMESPACES
  value: {{ join "," .Values.watch.namespaces | quote }}
{{- end -}}
