{{- define "tieline.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tieline.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tieline.labels" -}}
{{ include "tieline.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "tieline.image" -}}
{{- $repository := required "image.repository is needed: the repository of the image that the Dockerfile makes" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* A variable from a key of a secret that has its name: (list NAME SECRET OPTIONAL). */}}
{{- define "tieline.secretVariable" -}}
{{- $name := index . 0 -}}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ $name }}
      {{- if index . 2 }}
      optional: true
      {{- end }}
{{ end -}}

{{/* The settings that every process has: the database and its key first. */}}
{{- define "tieline.environment" -}}
{{- $secret := required "existingSecret is needed: a secret with DATABASE_URL and TIELINE_SECRET_KEY" .Values.existingSecret -}}
{{ include "tieline.secretVariable" (list "DATABASE_URL" $secret false) }}
{{- include "tieline.secretVariable" (list "TIELINE_SECRET_KEY" $secret false) }}
{{- include "tieline.secretVariable" (list "TIELINE_SECRET_KEY_PREVIOUS" $secret true) }}
{{- with .Values.slack.existingSecret }}
{{- $slack := . }}
{{- range list "CLIENT_ID" "CLIENT_SECRET" "SIGNING_SECRET" }}
{{- include "tieline.secretVariable" (list (printf "TIELINE_SLACK__%s" .) $slack false) }}
{{- end }}
{{- end }}
{{- with .Values.github.existingSecret }}
{{- $github := . }}
{{- range list "APP_ID" "APP_SLUG" "CLIENT_ID" "CLIENT_SECRET" "PRIVATE_KEY" "WEBHOOK_SECRET" }}
{{- include "tieline.secretVariable" (list (printf "TIELINE_GITHUB__%s" .) $github false) }}
{{- end }}
{{- include "tieline.secretVariable" (list "TIELINE_GITHUB__WEBHOOK_SECRET_PREVIOUS" $github true) }}
{{- end -}}
- name: TIELINE_PUBLIC_URL
  value: {{ required "publicUrl is needed: callbacks and links are built from it" .Values.publicUrl | quote }}
- name: TIELINE_LISTEN
  value: {{ printf "%s:%v" .Values.listenHost .Values.ports.http | quote }}
- name: TIELINE_ADMIN_LISTEN
  value: {{ printf "%s:%v" .Values.listenHost .Values.ports.admin | quote }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tieline.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What the pods of a deployment and of the job have in common. */}}
{{- define "tieline.pod" -}}
automountServiceAccountToken: false
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
# Kubernetes describes each Service to each container by variables, and those of a Service that is called tieline begin
# as settings do. The code leaves them out; here they are not made.
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: tmp
    emptyDir:
      medium: Memory
      sizeLimit: 64Mi
{{- end -}}

{{/* A deployment of one role: (dict "root" $ "role" "api"). */}}
{{- define "tieline.deployment" -}}
{{- $root := .root -}}
{{- $role := .role -}}
{{- $values := index $root.Values $role -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "tieline.fullname" $root }}-{{ $role }}
  labels:
    {{- include "tieline.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $role }}
spec:
  replicas: {{ $values.replicas }}
  selector:
    matchLabels:
      {{- include "tieline.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ $role }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels:
        {{- include "tieline.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ $role }}
      {{- with $values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "tieline.pod" $root | nindent 6 }}
      terminationGracePeriodSeconds: {{ $root.Values.terminationGracePeriodSeconds }}
      containers:
        - name: tieline
          image: {{ include "tieline.image" $root | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: ["serve", "--role", {{ $role | quote }}]
          securityContext:
            {{- include "tieline.containerSecurity" $root | nindent 12 }}
          env:
            {{- include "tieline.environment" $root | nindent 12 }}
          ports:
            {{- if eq $role "api" }}
            - name: http
              containerPort: {{ $root.Values.ports.http }}
            {{- end }}
            - name: admin
              containerPort: {{ $root.Values.ports.admin }}
          # /healthz answers while the process does; /readyz only while the database keeps a write too.
          startupProbe:
            httpGet: { path: /healthz, port: admin }
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /healthz, port: admin }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: { path: /readyz, port: admin }
            periodSeconds: 10
            timeoutSeconds: 12
            failureThreshold: 2
          {{- if $root.Values.preStopSleepSeconds }}
          lifecycle:
            preStop:
              sleep:
                seconds: {{ $root.Values.preStopSleepSeconds }}
          {{- end }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.topologySpreadConstraints }}
      topologySpreadConstraints:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}
