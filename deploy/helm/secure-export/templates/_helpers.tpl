{{- define "secure-export.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "secure-export.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "secure-export.labels" -}}
{{ include "secure-export.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- define "secure-export.image" -}}
{{- $repository := required "image.repository must be set: where you pushed the image" .Values.image.repository }}
{{- if .Values.image.digest }}{{ printf "%s@%s" $repository .Values.image.digest }}{{ else }}{{ printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) }}{{ end }}
{{- end }}

{{- define "secure-export.serviceAccount" -}}
{{- .Values.serviceAccount.existing | default (include "secure-export.name" .) }}
{{- end }}

{{/* The store's URL for a role of the database: a dictionary with root and role. One with a host or port of its own goes past a pooler. */}}
{{- define "secure-export.storeUrl" -}}
{{- $database := .root.Values.database }}
{{- $host := .role.host | default (required "database.host must be set: where PostgreSQL is" $database.host) }}
{{- $port := .role.port | default $database.port }}
{{- /* As an option the port is that of every host; behind the last host it would be that one's alone. */}}
{{- $options := dict "pool_size" (toString $database.poolSize) "port" (toString (int $port)) }}
{{- if $database.certificateAuthority.existingSecret }}{{ $_ := set $options "sslrootcert" "/run/secrets/database-authority/ca.crt" }}{{ end }}
{{- $options = merge (dict) $database.options $options }}
{{- if or .role.host .role.port }}{{ $_ := unset $options "pooler" }}{{ end }}
{{- $pairs := list }}
{{- range $name := keys $options | sortAlpha }}{{ $pairs = append $pairs (printf "%s=%s" $name (get $options $name | toString | urlquery)) }}{{ end }}
{{- printf "postgresql://%s@%s/%s?%s" .role.user $host $database.name (join "&" $pairs) }}
{{- end }}

{{/* What every container of the program has: a dictionary with root, role (of the database), port. */}}
{{- define "secure-export.environment" -}}
- name: SECURE_EXPORT__SERVER__LISTEN
  value: 0.0.0.0:8080
- name: SECURE_EXPORT__STORE__URL
  value: {{ include "secure-export.storeUrl" (dict "root" .root "role" .role) | quote }}
- name: SECURE_EXPORT__STORE__PASSWORD__FILE
  value: /run/secrets/database/password
- name: SECURE_EXPORT__LOG__FORMAT
  value: json
- name: SECURE_EXPORT__LOG__LEVEL
  value: {{ .root.Values.log.level }}
{{- with .root.Values.trustedProxies }}
- name: SECURE_EXPORT__SERVER__TRUSTED_PROXIES
  value: {{ toJson . | quote }}
{{- end }}
{{- with .root.Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "secure-export.mounts" -}}
- name: configuration
  mountPath: /etc/secure-export
  readOnly: true
- name: database
  mountPath: /run/secrets/database
  readOnly: true
{{- if .Values.database.certificateAuthority.existingSecret }}
- name: database-authority
  mountPath: /run/secrets/database-authority
  readOnly: true
{{- end }}
{{- if .Values.secrets }}
- name: secrets
  mountPath: /run/secrets/secure-export
  readOnly: true
{{- end }}
- name: tmp
  mountPath: /tmp
- name: work
  mountPath: /var/lib/secure-export
{{- end }}

{{/* A dictionary with root, role (of the database), configMap. */}}
{{- define "secure-export.volumes" -}}
- name: configuration
  configMap:
    name: {{ .configMap }}
- name: database
  secret:
    secretName: {{ .role.existingSecret }}
    defaultMode: 0440
    items: [{ key: {{ .role.key | quote }}, path: password }]
{{- with .root.Values.database.certificateAuthority }}
{{- if .existingSecret }}
- name: database-authority
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items: [{ key: {{ .key | quote }}, path: ca.crt }]
{{- end }}
{{- end }}
{{- if .root.Values.secrets }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range .root.Values.secrets }}
      - secret:
          name: {{ .existingSecret }}
          items: [{ key: {{ .key | quote }}, path: {{ .name | quote }} }]
      {{- end }}
{{- end }}
- name: tmp
  emptyDir: { sizeLimit: 64Mi }
- name: work
  emptyDir: { sizeLimit: 64Mi }
{{- end }}

{{- define "secure-export.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "secure-export.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "secure-export.configMap" -}}
{{- .Values.existingConfigMap | default (include "secure-export.name" .) }}
{{- end }}
