{{- define "sluice.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "sluice.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "sluice.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "sluice.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "sluice.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "sluice.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: sluice
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* What everything but the Deployment itself selects pods by. A release controller such as Flagger gives the pods that carry
the traffic another app.kubernetes.io/name, so it is not among them. */}}
{{- define "sluice.podSelector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{/* Labels of pods. Flagger's Services select by app.kubernetes.io/name alone, so no two roles or releases share one. */}}
{{- define "sluice.podLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "sluice.fullname" .root }}-{{ .role }}
{{ include "sluice.podSelector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: sluice
{{- end -}}

{{- define "sluice.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "sluice.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The roles that are on, as a JSON list of names. */}}
{{- define "sluice.roles" -}}
{{- $on := list -}}
{{- range $role := list "gateway" "engine" "worker" "standalone" -}}
{{- if (index $.Values $role).enabled }}{{ $on = append $on $role }}{{ end -}}
{{- end -}}
{{- toJson $on -}}
{{- end -}}

{{/* The block of a role over the defaults, as JSON. */}}
{{- define "sluice.role" -}}
{{- toJson (mustMergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (index .root.Values .role))) -}}
{{- end -}}

{{/* Port on which a role listens. */}}
{{- define "sluice.port" -}}
{{- if eq .role "engine" }}8100{{ else if eq .role "worker" }}8200{{ else }}8000{{ end -}}
{{- end -}}

{{/* Most copies that a role may come to have. */}}
{{- define "sluice.mostReplicas" -}}
{{- $block := include "sluice.role" . | fromJson -}}
{{- if $block.autoscaling.enabled }}{{ $block.autoscaling.maxReplicas }}
{{- else if $block.keda.enabled }}{{ $block.keda.maxReplicas }}
{{- else }}{{ $block.replicas }}{{ end -}}
{{- end -}}

{{/* sluice.yaml as a dict in JSON: what the chart knows, under what the values say. */}}
{{- define "sluice.config" -}}
{{- $front := ternary "standalone" "gateway" .Values.standalone.enabled -}}
{{- $most := include "sluice.mostReplicas" (dict "root" . "role" $front) | int -}}
{{- $known := dict
  "server" (dict "host" "0.0.0.0" "port" 8000)
  "engine" (dict "host" "0.0.0.0" "port" 8100)
  "worker" (dict "host" "0.0.0.0" "port" 8200)
  "grpc" (dict "listen" "auto" "port" 8500)
  "tensorflowServing" (dict "listen" "auto" "port" 8501)
  "replicas" $most
-}}
{{- if not .Values.standalone.enabled -}}
{{- $_ := set $known.engine "urls" (list (printf "http://%s-engine:8100" (include "sluice.fullname" .))) -}}
{{- end -}}
{{- if .Values.models.existingClaim -}}
{{- $_ := set $known "models" (dict "directory" "/models") -}}
{{- end -}}
{{- toJson (mustMergeOverwrite $known (deepCopy .Values.config)) -}}
{{- end -}}

{{/* Environment of a role that comes from the Secret: only what its settings need. */}}
{{- define "sluice.secretEnv" -}}
{{- $values := .root.Values -}}
{{- $config := include "sluice.config" .root | fromJson -}}
{{- $keys := $values.secrets.keys -}}
{{- $stores := ne .role "engine" -}}
{{- $front := or (eq .role "gateway") (eq .role "standalone") -}}
{{- $wanted := list -}}
{{- if not (dig "auth" "allowAnonymous" false $config) -}}
{{- $wanted = append $wanted (dict "name" "SLUICE_AUTH_KEYS" "key" $keys.authKeys) -}}
{{- if or (eq .role "gateway") (eq .role "worker") -}}
{{- $wanted = append $wanted (dict "name" "SLUICE_ENGINE_KEY" "key" $keys.engineKey) -}}
{{- end -}}
{{- end -}}
{{- if and $front (eq (dig "cache" "store" "driver" "" $config) "redis") -}}
{{- $wanted = append $wanted (dict "name" "SLUICE_CACHE_STORE_URL" "key" $keys.cacheUrl) -}}
{{- end -}}
{{- if and $front (eq (dig "rateLimit" "store" "driver" "" $config) "redis") -}}
{{- $wanted = append $wanted (dict "name" "SLUICE_RATE_LIMIT_STORE_URL" "key" $keys.rateLimitUrl) -}}
{{- end -}}
{{- if and $stores (eq (dig "records" "store" "driver" "" $config) "postgres") -}}
{{- $wanted = append $wanted (dict "name" "SLUICE_RECORDS_STORE_URL" "key" $keys.recordsUrl) -}}
{{- end -}}
{{- if and $stores (eq (dig "queue" "store" "driver" "" $config) "nats") -}}
{{- $wanted = append $wanted (dict "name" "SLUICE_QUEUE_STORE_URL" "key" $keys.queueUrl) -}}
{{- end -}}
{{- if and $stores (eq (dig "vectors" "store" "driver" "" $config) "pgvector") -}}
{{- $wanted = append $wanted (dict "name" "SLUICE_VECTORS_STORE_URL" "key" $keys.vectorsUrl) -}}
{{- end -}}
{{- if and $stores $values.events.nats -}}
{{- $wanted = append $wanted (dict "name" "SLUICE_EVENTS_NATS_URL" "key" $keys.eventsUrl) -}}
{{- end -}}
{{- if and $wanted (not $values.secrets.existingSecret) -}}
{{- $names := list -}}
{{- range $wanted }}{{ $names = append $names .key }}{{ end -}}
{{- fail (printf "secrets.existingSecret must name a Secret with the keys %s. Without keys of callers, set config.auth.allowAnonymous to true; without servers for stores, choose drivers that need none." (join ", " $names)) -}}
{{- end -}}
{{- range $wanted }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ $values.secrets.existingSecret }}
      key: {{ .key }}
{{- end -}}
{{- end -}}

{{/* Seconds until a pod that goes is killed. */}}
{{- define "sluice.gracePeriod" -}}
{{- $block := include "sluice.role" . | fromJson -}}
{{- $config := include "sluice.config" .root | fromJson -}}
{{- $drain := dig "shutdown" "drainDelayMs" 0 $config | int -}}
{{- $grace := dig "shutdown" "graceMs" 20000 $config | int -}}
{{- add (int $block.preStopSleepSeconds) (div (add $drain $grace 999) 1000) (int $block.terminationMarginSeconds) -}}
{{- end -}}
