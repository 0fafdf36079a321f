{{/*
Who may be reached, as rules of NetworkPolicies and of CiliumNetworkPolicies. The metadata service of clouds
(169.254.169.254) gives a node's credentials to every pod that asks: it is in no rule unless
networkPolicy.instanceMetadata says so.
*/}}

{{/* Every address but link-local ones. */}}
{{- define "finops-operator.anywhere" -}}
- ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}
- ipBlock: {cidr: "::/0", except: ["fe80::/10", "fd00:ec2::/32"]}
{{- end -}}

{{/* Every address but those of private networks, in which the cluster lies. */}}
{{- define "finops-operator.outside" -}}
- ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]}
- ipBlock: {cidr: "::/0", except: ["fc00::/7", "fe80::/10"]}
{{- end -}}

{{/* Name servers: also the link-local ones of a node's DNS cache. */}}
{{- define "finops-operator.dnsEgress" -}}
- to:
    - ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}
    - ipBlock: {cidr: "::/0", except: ["fd00:ec2::254/128"]}
  ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end -}}

{{- define "finops-operator.apiServerEgress" -}}
- to:
    {{- range .Values.networkPolicy.apiServerCidrs }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- else }}
    {{- include "finops-operator.anywhere" . | nindent 4 }}
    {{- end }}
  ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end -}}

{{/* The host and port of an address, as JSON: host, cidr (of a literal address, else empty), port. dict: url, port (default). */}}
{{- define "finops-operator.destination" -}}
{{- $parts := urlParse .url -}}
{{- $host := $parts.hostname -}}
{{- $port := regexFind ":[0-9]+$" $parts.host | trimPrefix ":" -}}
{{- $default := ternary 80 .port (eq $parts.scheme "http") -}}
{{- $cidr := "" -}}
{{- if regexMatch "^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$" $host -}}
{{- $cidr = printf "%s/32" $host -}}
{{- else if contains ":" $host -}}
{{- $cidr = printf "%s/128" $host -}}
{{- end -}}
{{- dict "host" $host "cidr" $cidr "port" (int ($port | default (toString $default))) | toJson -}}
{{- end -}}

{{/* The rule for one address that the values name. dict: as finops-operator.destination. */}}
{{- define "finops-operator.urlEgress" -}}
{{- $where := include "finops-operator.destination" . | fromJson -}}
- to:
    {{- if $where.cidr }}
    - ipBlock: {cidr: {{ $where.cidr | quote }}}
    {{- else }}
    {{- include "finops-operator.anywhere" . | nindent 4 }}
    {{- end }}
  ports:
    - {port: {{ $where.port }}, protocol: TCP}
{{- end -}}

{{/* The store, for one of its users. dict: root, user. */}}
{{- define "finops-operator.storeEgress" -}}
{{- $values := .root.Values -}}
{{- if $values.valkey.enabled -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "finops-operator.selector" .root | nindent 10 }}
          app.kubernetes.io/component: valkey
  ports:
    - {port: 6379, protocol: TCP}
{{- else if $values.redis.url -}}
{{- $url := include "finops-operator.externalUrl" . -}}
{{- if not (hasPrefix "unix:" $url) -}}
{{- include "finops-operator.urlEgress" (dict "url" $url "port" 6379) -}}
{{- end -}}
{{- else if $values.networkPolicy.storePorts -}}
- to:
    {{- include "finops-operator.anywhere" .root | nindent 4 }}
  ports:
    {{- range $values.networkPolicy.storePorts }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end -}}
{{- end -}}

{{/* Not empty when the operator may get its credentials from EKS Pod Identity: nothing else gives them. */}}
{{- define "finops-operator.wantsPodIdentity" -}}
{{- if not (or .Values.aws.existingSecret (hasKey .Values.operator.serviceAccount.annotations "eks.amazonaws.com/role-arn")) -}}
yes
{{- end -}}
{{- end -}}

{{- define "finops-operator.credentialsEgress" -}}
{{- if include "finops-operator.wantsPodIdentity" . }}
- to:
    - ipBlock: {cidr: 169.254.170.23/32}
    - ipBlock: {cidr: "fd00:ec2::23/128"}
  ports:
    - {port: 80, protocol: TCP}
{{- end }}
{{- if .Values.networkPolicy.instanceMetadata }}
- to:
    - ipBlock: {cidr: 169.254.169.254/32}
    - ipBlock: {cidr: "fd00:ec2::254/128"}
  ports:
    - {port: 80, protocol: TCP}
{{- end }}
{{- end -}}

{{- define "finops-operator.ciliumDnsEgress" -}}
- toEndpoints:
    - matchLabels:
        k8s:io.kubernetes.pod.namespace: kube-system
        k8s:k8s-app: kube-dns
  toPorts:
    - ports:
        - {port: "53", protocol: ANY}
      rules:
        dns:
          - matchPattern: "*"
{{- end -}}

{{- define "finops-operator.ciliumApiServerEgress" -}}
- toEntities: [kube-apiserver]
{{- end -}}

{{/* Hosts by name, port 443. */}}
{{- define "finops-operator.ciliumNamesEgress" -}}
- toFQDNs:
    {{- range . }}
    - {{ ternary "matchPattern" "matchName" (contains "*" .) }}: {{ . | quote }}
    {{- end }}
  toPorts:
    - ports:
        - {port: "443", protocol: TCP}
{{- end -}}

{{/* An address outside the cluster that the values name, on its port. dict: as finops-operator.destination. */}}
{{- define "finops-operator.ciliumOutsideEgress" -}}
{{- $where := include "finops-operator.destination" . | fromJson -}}
{{- if $where.cidr }}
- toCIDR: [{{ $where.cidr | quote }}]
{{- else }}
- toFQDNs:
    - matchName: {{ $where.host | quote }}
{{- end }}
  toPorts:
    - ports:
        - {port: {{ $where.port | quote }}, protocol: TCP}
{{- end -}}

{{/* An address that the values name: outside the cluster by name, inside it by port. dict: as finops-operator.destination. */}}
{{- define "finops-operator.ciliumUrlEgress" -}}
{{- $where := include "finops-operator.destination" . | fromJson -}}
{{- include "finops-operator.ciliumOutsideEgress" . }}
- toEntities: [cluster]
  toPorts:
    - ports:
        - {port: {{ $where.port | quote }}, protocol: TCP}
{{- end -}}

{{- define "finops-operator.ciliumStoreEgress" -}}
{{- $values := .root.Values -}}
{{- if $values.valkey.enabled }}
- toEndpoints:
    - matchLabels:
        {{- include "finops-operator.selector" .root | nindent 8 }}
        app.kubernetes.io/component: valkey
  toPorts:
    - ports:
        - {port: "6379", protocol: TCP}
{{- else if $values.redis.url }}
{{- $url := include "finops-operator.externalUrl" . }}
{{- if not (hasPrefix "unix:" $url) }}
{{- include "finops-operator.ciliumUrlEgress" (dict "url" $url "port" 6379) }}
{{- end }}
{{- else if $values.networkPolicy.storePorts }}
- toEntities: [world, cluster]
  toPorts:
    - ports:
        {{- range $values.networkPolicy.storePorts }}
        - {port: {{ . | quote }}, protocol: TCP}
        {{- end }}
{{- end }}
{{- end -}}

{{- define "finops-operator.ciliumCredentialsEgress" -}}
{{- $addresses := list -}}
{{- if include "finops-operator.wantsPodIdentity" . -}}
{{- $addresses = concat $addresses (list "169.254.170.23/32" "fd00:ec2::23/128") -}}
{{- end -}}
{{- if .Values.networkPolicy.instanceMetadata -}}
{{- $addresses = concat $addresses (list "169.254.169.254/32" "fd00:ec2::254/128") -}}
{{- end -}}
{{- with $addresses }}
- toCIDR: {{ toJson . }}
  toPorts:
    - ports:
        - {port: "80", protocol: TCP}
{{- end }}
{{- if include "finops-operator.wantsPodIdentity" . }}
# The agent's address belongs to the node, which Cilium knows as the host.
- toEntities: [host]
  toPorts:
    - ports:
        - {port: "80", protocol: TCP}
{{- end }}
{{- end -}}
