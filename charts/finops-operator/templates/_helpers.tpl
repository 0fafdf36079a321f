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

{{/* One component's service account. dict: root, component (its key in the values), suffix of the default name. */}}
{{- define "finops-operator.serviceAccountName" -}}
{{- $account := (index .root.Values .component).serviceAccount -}}
{{- if and (not $account.create) (not $account.name) -}}
{{- fail (printf "%s.serviceAccount.create is false and no account is named: set %s.serviceAccount.name" .component .component) -}}
{{- end -}}
{{ $account.name | default (printf "%s%s" (include "finops-operator.fullname" .root) .suffix) }}
{{- end -}}

{{- define "finops-operator.operatorServiceAccountName" -}}
{{ include "finops-operator.serviceAccountName" (dict "root" . "component" "operator" "suffix" "") }}
{{- end -}}

{{- define "finops-operator.slackbotServiceAccountName" -}}
{{ include "finops-operator.serviceAccountName" (dict "root" . "component" "slackbot" "suffix" "-slackbot") }}
{{- end -}}

{{- define "finops-operator.webServiceAccountName" -}}
{{ include "finops-operator.serviceAccountName" (dict "root" . "component" "web" "suffix" "-web") }}
{{- end -}}

{{- define "finops-operator.scanServiceAccountName" -}}
{{ include "finops-operator.serviceAccountName" (dict "root" . "component" "scanJobs" "suffix" "-scan") }}
{{- end -}}

{{- /* Cluster-wide, so with the namespace. */ -}}
{{- define "finops-operator.scanGuardName" -}}
{{ include "finops-operator.fullname" . }}-scan-{{ .Release.Namespace }}
{{- end -}}

{{- define "finops-operator.valkeyServiceAccountName" -}}
{{ include "finops-operator.serviceAccountName" (dict "root" . "component" "valkey" "suffix" "-valkey") }}
{{- end -}}

{{- define "finops-operator.secretsServiceAccountName" -}}
{{ include "finops-operator.serviceAccountName" (dict "root" . "component" "secretsJob" "suffix" "-secrets") }}
{{- end -}}

{{- define "finops-operator.testServiceAccountName" -}}
{{ include "finops-operator.serviceAccountName" (dict "root" . "component" "test" "suffix" "-test") }}
{{- end -}}

{{/* What protects the kinds stays wherever the kinds stay: objects made in between would be believed later. */}}
{{- define "finops-operator.keptWithKinds" -}}
{{- if or .Values.crds.keep (not .Values.crds.install) -}}
annotations:
  helm.sh/resource-policy: keep
{{- end -}}
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

{{- define "finops-operator.webImage" -}}
{{ include "finops-operator.imagePrefix" . }}finops-web:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* Labels and annotations of a component's pods. dict: root, values (the component's), component (the label). */}}
{{- define "finops-operator.podMetadata" -}}
{{- $own := merge (dict "app.kubernetes.io/component" .component) (include "finops-operator.labels" .root | fromYaml) -}}
labels:
  {{- toYaml (merge $own .values.podLabels) | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where a component's pods run, and with which pull secrets. dict: root, values (the component's). */}}
{{- define "finops-operator.podPlacement" -}}
enableServiceLinks: false
securityContext:
  {{- include "finops-operator.podSecurity" .root | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
{{- with index $.values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
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

{{/*
The operator would refuse such webhooks at its start, or keep events that it cannot sign.
*/}}
{{- define "finops-operator.refuseImpossibleWebhooks" -}}
{{- if and .Values.webhooks.endpoints .Values.webhooks.existingEndpointsSecret -}}
{{- fail "webhooks.endpoints and webhooks.existingEndpointsSecret are both set: name the addresses in one place" -}}
{{- end -}}
{{- if and (or .Values.webhooks.endpoints .Values.webhooks.existingEndpointsSecret) (not .Values.webhooks.existingSecret) -}}
{{- fail (printf "webhooks.existingSecret is empty: name the Secret that has the signing secret of each endpoint (docs/webhooks.md), or remove webhooks.%s" (ternary "existingEndpointsSecret" "endpoints" (empty .Values.webhooks.endpoints))) -}}
{{- end -}}
{{- with .Values.webhooks.endpoints -}}
{{- $names := list -}}
{{- range . -}}
{{- if has .name $names -}}
{{- fail (printf "webhooks.endpoints names two endpoints %s: a name stands for one queue and one signing secret" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "finops-operator.webhooksSecretName" -}}
{{ .Values.webhooks.existingEndpointsSecret | default (printf "%s-webhook-endpoints" (include "finops-operator.fullname" .)) }}
{{- end -}}

{{/* The operator starts anew when the list changes: it reads it once. */}}
{{- define "finops-operator.webhooksAnnotations" -}}
{{- with .Values.webhooks.endpoints -}}
finops.dev/webhooks-hash: {{ toJson . | sha256sum | trunc 16 | quote }}
{{- end -}}
{{- end -}}

{{/*
Exactly one store must be named: a value that says another one would be ignored, and none leaves nothing to run on. An
address that can be seen here needs a password, and bot and dashboard a user of their own.
*/}}
{{- define "finops-operator.refuseImpossibleStores" -}}
{{- $named := list -}}
{{- range $key := list "url" "slackbotUrl" "webUrl" "existingSecret" -}}
{{- with index $.Values.redis $key }}{{ $named = append $named (printf "redis.%s" $key) }}{{ end -}}
{{- end -}}
{{- if and .Values.valkey.enabled $named -}}
{{- fail (printf "%s would be ignored, because valkey.enabled is true: set valkey.enabled=false to use that store, or remove %s to use the chart's own" (join " and " $named) (join " and " $named)) -}}
{{- else if .Values.valkey.enabled -}}
{{- else if and .Values.redis.existingSecret (gt (len $named) 1) -}}
{{- fail (printf "%s all name a store: remove redis.existingSecret or the others" (join " and " $named)) -}}
{{- else if not (or .Values.redis.url .Values.redis.existingSecret) -}}
{{- fail (printf "valkey.enabled is false and no other store is named: set redis.existingSecret to a Secret with the key %s, or redis.url to redis://USER:PASSWORD@HOST:6379/0" .Values.redis.existingSecretKeys.operator) -}}
{{- else if and .Values.redis.url (not .Values.store.allowUnauthenticated) -}}
{{- $bot := (.Values.slack).existingSecret -}}
{{- $users := dict -}}
{{- range $key := list "url" "slackbotUrl" "webUrl" -}}
{{- $_ := set $users $key (include "finops-operator.storeUser" (index $.Values.redis $key)) -}}
{{- end -}}
{{- if and $bot (not .Values.redis.slackbotUrl) -}}
{{- fail "redis.slackbotUrl is empty: give the bot a user of its own at the store (docs/install.md), or set store.allowUnauthenticated=true" -}}
{{- else if and $bot (eq $users.url $users.slackbotUrl) -}}
{{- fail "redis.slackbotUrl names the user of redis.url: give the bot a user of its own at the store (docs/install.md), or set store.allowUnauthenticated=true" -}}
{{- end -}}
{{- if and .Values.web.enabled (not .Values.redis.webUrl) -}}
{{- fail "redis.webUrl is empty: give the dashboard a user of its own at the store (docs/install.md), or set web.enabled=false or store.allowUnauthenticated=true" -}}
{{- else if and .Values.web.enabled (or (eq $users.webUrl $users.url) (and $bot (eq $users.webUrl $users.slackbotUrl))) -}}
{{- fail "redis.webUrl names the user of another process: give the dashboard a user of its own at the store (docs/install.md), or set web.enabled=false or store.allowUnauthenticated=true" -}}
{{- end -}}
{{- range $key := list "url" "slackbotUrl" "webUrl" -}}
{{- $url := index $.Values.redis $key -}}
{{- if not (or (empty $url) (hasPrefix "unix:" $url) (regexMatch "^[a-z]+://[^/?#]*:[^/?#]+@" $url) (regexMatch "[?&]password=[^&]" $url)) -}}
{{- fail (printf "redis.%s names no password, so everyone who reaches the store could change what it holds: use redis://USER:PASSWORD@HOST:6379/0, or set store.allowUnauthenticated=true" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* As which user of the store an address comes; `default` is Redis' own for those that name none. */}}
{{- define "finops-operator.storeUser" -}}
{{- $user := first (splitList ":" (regexReplaceAll "^[a-z]+://(([^@/?#]*)@)?.*$" . "${2}")) -}}
{{- with regexFind "[?&]username=[^&#]*" . }}{{ $user = last (splitList "=" .) }}{{ end -}}
{{- $user | default "default" -}}
{{- end -}}

{{/* The address as one user of the store has it in redis.url, redis.slackbotUrl or redis.webUrl. dict: root, user. */}}
{{- define "finops-operator.externalUrl" -}}
{{- if eq .user "slackbot" -}}
{{ .root.Values.redis.slackbotUrl | default .root.Values.redis.url }}
{{- else if eq .user "web" -}}
{{ .root.Values.redis.webUrl | default .root.Values.redis.url }}
{{- else -}}
{{ .root.Values.redis.url }}
{{- end -}}
{{- end -}}

{{- define "finops-operator.storeSecretName" -}}
{{ include "finops-operator.fullname" . }}-store
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
{{- else }}
- name: FINOPS_REDIS_URL
  valueFrom:
    secretKeyRef:
      {{- if $root.Values.redis.existingSecret }}
      name: {{ $root.Values.redis.existingSecret }}
      key: {{ index $root.Values.redis.existingSecretKeys .user }}
      {{- else }}
      name: {{ include "finops-operator.storeSecretName" $root }}
      key: {{ .user }}-url
      {{- end }}
{{- end }}
{{- end -}}

{{/* Pods that read an address from the chart's own Secret start anew when it changes. dict: root, user. */}}
{{- define "finops-operator.storeAnnotations" -}}
{{- if and (not .root.Values.valkey.enabled) .root.Values.redis.url -}}
finops.dev/store-url-hash: {{ include "finops-operator.externalUrl" . | sha256sum | trunc 16 | quote }}
{{- end -}}
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
- name: FINOPS_STORE_ALLOW_UNAUTHENTICATED
  value: {{ .Values.store.allowUnauthenticated | quote }}
- name: FINOPS_WATCH_NAMESPACES
  value: {{ join "," .Values.watch.namespaces | quote }}
{{- end -}}

{{/* Tables of prices that stand before those of the release: where they are, their mount, and their volume. */}}
{{- define "finops-operator.priceEnv" -}}
{{- if .Values.prices.tables.existingClaim -}}
- name: FINOPS_PRICE_TABLES
  value: /var/lib/finops/prices
{{- end -}}
{{- end -}}
{{- define "finops-operator.priceMount" -}}
{{- with .Values.prices.tables -}}
{{- if .existingClaim -}}
- name: prices
  mountPath: /var/lib/finops/prices
  readOnly: true
  {{- with .subPath }}
  subPath: {{ . }}
  {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- define "finops-operator.priceVolume" -}}
{{- with .Values.prices.tables.existingClaim -}}
- name: prices
  persistentVolumeClaim: {claimName: {{ . }}, readOnly: true}
{{- end -}}
{{- end -}}

{{/* By what AWS is reached. */}}
{{- define "finops-operator.awsEnv" -}}
- name: AWS_REGION
  value: {{ .Values.aws.region }}
{{- with .Values.aws.endpointUrl }}
- name: AWS_ENDPOINT_URL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.aws.existingSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {name: {{ . }}, key: AWS_ACCESS_KEY_ID}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ . }}, key: AWS_SECRET_ACCESS_KEY}}
{{- end }}
{{- end -}}

{{/* Where people reach the dashboard: web.address, else the first host of the Ingress or of the HTTPRoute, over TLS. */}}
{{- define "finops-operator.webAddress" -}}
{{- $web := .Values.web -}}
{{- if $web.address -}}
{{- $web.address -}}
{{- else if and $web.ingress.enabled $web.ingress.hosts -}}
https://{{ first $web.ingress.hosts }}
{{- else if and $web.httpRoute.enabled $web.httpRoute.hostnames -}}
https://{{ first $web.httpRoute.hostnames }}
{{- end -}}
{{- end -}}

{{/* Sign-in by OIDC; nothing without an issuer. */}}
{{- define "finops-operator.oidcEnv" -}}
{{- with .Values.web.oidc -}}
{{- if .issuer -}}
{{- $address := include "finops-operator.webAddress" $ -}}
{{- if not .clientId }}{{ fail "web.oidc.clientId is empty: name the client that issuer and API server know (docs/web.md)" }}{{ end -}}
{{- if not $address }}{{ fail "web.address is empty: with web.oidc.issuer the dashboard must know under which address people reach it" }}{{ end -}}
- {name: FINOPS_WEB_ADDRESS, value: {{ $address | quote }}}
- {name: FINOPS_OIDC_ISSUER, value: {{ .issuer | quote }}}
- {name: FINOPS_OIDC_CLIENT_ID, value: {{ .clientId | quote }}}
- {name: FINOPS_OIDC_SCOPES, value: {{ join "," .scopes | quote }}}
- {name: FINOPS_OIDC_USERNAME_CLAIM, value: {{ .usernameClaim | quote }}}
- {name: FINOPS_OIDC_USERNAME_PREFIX, value: {{ .usernamePrefix | quote }}}
- {name: FINOPS_OIDC_GROUPS_CLAIM, value: {{ .groupsClaim | quote }}}
- {name: FINOPS_OIDC_GROUPS_PREFIX, value: {{ .groupsPrefix | quote }}}
- {name: FINOPS_OIDC_TITLE, value: {{ .title | quote }}}
{{- if .existingSecret }}
- name: FINOPS_OIDC_CLIENT_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret }}
      key: {{ .existingSecretKey }}
{{- end }}
{{- if .caConfigMap }}
- {name: FINOPS_OIDC_CA_FILE, value: /etc/finops/issuer/ca.crt}
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
