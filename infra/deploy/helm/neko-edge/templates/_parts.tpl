{{- /*
Parts that pods share. Templates of this chart use what Go's own templates have and no function of Helm's, so that the tests, which have Go's
engine alone, render what Helm renders. A part is written at the depth at which it stands.
*/ -}}
{{- define "neko.secret" -}}
{{ if .Values.existingSecret }}{{ .Values.existingSecret }}{{ else }}{{ .Release.Name }}-neko-edge{{ end }}
{{- end -}}

{{- define "neko.image" -}}
{{ .Values.image.repository }}:{{ if .Values.image.tag }}{{ .Values.image.tag }}{{ else }}{{ .Chart.AppVersion }}{{ end }}
{{- end -}}

{{- define "neko.selector" }}
      app.kubernetes.io/name: neko-edge
      app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "neko.labels" }}
    app.kubernetes.io/name: neko-edge
    app.kubernetes.io/instance: {{ .Release.Name }}
    app.kubernetes.io/version: {{ printf "%q" .Chart.AppVersion }}
    app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "neko.podLabels" }}
        app.kubernetes.io/name: neko-edge
        app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* Of every process of ours: the password stands before the URL that names it. */ -}}
{{- define "neko.env" }}
            - name: REDIS_PASSWORD
              valueFrom:
                secretKeyRef:
                  name: {{ template "neko.secret" . }}
                  key: redis-password
            - name: NEKO_REDIS_URL
              value: {{ if .Values.redis.enabled -}}
                redis://:$(REDIS_PASSWORD)@{{ .Release.Name }}-redis:6379/0
                {{- else -}}
                {{ .Values.redis.scheme }}://:$(REDIS_PASSWORD)@{{ .Values.redis.address }}
                {{- end }}
            {{- range $name, $value := .Values.env }}
            - name: {{ $name }}
              value: {{ printf "%q" (print $value) }}
            {{- end }}
{{- end -}}

{{- /* Of nodes: their name is the pod's; viewers come to the machine's address, other nodes to the pod's. */ -}}
{{- define "neko.nodeEnv" }}
            - name: NEKO_NODE_ID
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: NEKO_NODE_ADDRESS
              valueFrom:
                fieldRef:
                  fieldPath: status.podIP
            - name: NEKO_WEBRTC_NAT1TO1
            {{- if .publicAddress }}
              value: {{ printf "%q" .publicAddress }}
            {{- else }}
              valueFrom:
                fieldRef:
                  fieldPath: status.hostIP
            {{- end }}
            - name: NEKO_WEBRTC_UDPMUX
              value: {{ printf "%q" (print (index .ports 0)) }}
            - name: NEKO_WEBRTC_TCPMUX
              value: {{ printf "%q" (print (index .ports 0)) }}
            - name: NEKO_SFU_WORKERS
              value: {{ printf "%q" (print (len .ports)) }}
{{- end -}}

{{- define "neko.nodePorts" }}
            {{- range .ports }}
            - name: udp-{{ . }}
              containerPort: {{ . }}
              hostPort: {{ . }}
              protocol: UDP
            - name: tcp-{{ . }}
              containerPort: {{ . }}
              hostPort: {{ . }}
              protocol: TCP
            {{- end }}
{{- end -}}

{{- define "neko.resources" }}
              {{- range $name, $amount := . }}
              {{ $name }}: {{ printf "%q" (print $amount) }}
              {{- end }}
{{- end -}}

{{- define "neko.placement" }}
      {{- if .nodeSelector }}
      nodeSelector:
        {{- range $name, $value := .nodeSelector }}
        {{ $name }}: {{ printf "%q" (print $value) }}
        {{- end }}
      {{- end }}
      {{- if .tolerations }}
      tolerations:
        {{- range .tolerations }}
        - {{ range $name, $value := . }}{{ $name }}: {{ if eq $name "tolerationSeconds" }}{{ $value }}{{ else }}{{ printf "%q" (print $value) }}{{ end }}
          {{ end }}
        {{- end }}
      {{- end }}
{{- end -}}

{{- define "neko.podSecurity" }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        runAsGroup: 1000
        fsGroup: 1000
        seccompProfile:
          type: RuntimeDefault
{{- end -}}

{{- define "neko.containerSecurity" }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
{{- end -}}
