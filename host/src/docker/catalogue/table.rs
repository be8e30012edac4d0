//! The rows of the catalogue. Order within a method matters: it is moby's order of registration.

use super::Answer::{self, Empty, Endless, Hijack, Json, Progress, Raw, Text, Upgrade};
use super::RequestBody::{self, Message, None as No, Opaque, OptionalJson};

/// A JSON body; `Json` alone is the answer.
const BODY: RequestBody = RequestBody::Json;

/// Name, method, template, request body, answer.
pub(super) type Row = (&'static str, &'static str, &'static str, RequestBody, Answer);

/// Endpoints whose request holds secrets.
pub(super) const SECRET_REQUESTS: &[&str] = &[
    "system-auth",
    "image-push",
    "secret-create",
    "secret-update",
    "config-create",
    "config-update",
    "swarm-init",
    "swarm-join",
    "swarm-update",
    "swarm-unlock",
];

/// Endpoints whose answer holds secrets.
pub(super) const SECRET_ANSWERS: &[&str] = &[
    "system-auth",
    "secret-list",
    "secret-inspect",
    "config-list",
    "config-inspect",
    "swarm-inspect",
    "swarm-unlock-key",
];

/// BuildKit's own service.
macro_rules! control {
    ($method:literal) => {
        concat!("/grpc/moby.buildkit.v1.Control/", $method)
    };
}

/// What a client uses that takes part in a build, as BuildKit's frontends do.
macro_rules! bridge {
    ($method:literal) => {
        concat!("/grpc/moby.buildkit.v1.frontend.LLBBridge/", $method)
    };
}

/// BuildKit's blobs, which can only be read.
macro_rules! content {
    ($method:literal) => {
        concat!("/grpc/containerd.services.content.v1.Content/", $method)
    };
}

/// Where clients send what they traced.
const TRACE: &str = "/grpc/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// All endpoints.
pub(super) const ROWS: &[Row] = &[
    ("checkpoint-list", "GET", "/containers/{name:.*}/checkpoints", No, Json),
    ("checkpoint-create", "POST", "/containers/{name:.*}/checkpoints", BODY, Empty),
    ("checkpoint-delete", "DELETE", "/containers/{name}/checkpoints/{checkpoint}", No, Empty),
    ("container-archive-head", "HEAD", "/containers/{name:.*}/archive", No, Empty),
    ("container-list", "GET", "/containers/json", No, Json),
    ("container-export", "GET", "/containers/{name:.*}/export", No, Raw),
    ("container-changes", "GET", "/containers/{name:.*}/changes", No, Json),
    ("container-inspect", "GET", "/containers/{name:.*}/json", No, Json),
    ("container-top", "GET", "/containers/{name:.*}/top", No, Json),
    ("container-logs", "GET", "/containers/{name:.*}/logs", No, Endless),
    ("container-stats", "GET", "/containers/{name:.*}/stats", No, Endless),
    ("container-attach-websocket", "GET", "/containers/{name:.*}/attach/ws", No, Upgrade),
    ("exec-inspect", "GET", "/exec/{id:.*}/json", No, Json),
    ("container-archive-get", "GET", "/containers/{name:.*}/archive", No, Raw),
    ("container-create", "POST", "/containers/create", BODY, Json),
    ("container-kill", "POST", "/containers/{name:.*}/kill", No, Empty),
    ("container-pause", "POST", "/containers/{name:.*}/pause", No, Empty),
    ("container-unpause", "POST", "/containers/{name:.*}/unpause", No, Empty),
    ("container-restart", "POST", "/containers/{name:.*}/restart", No, Empty),
    // API 1.23 and below took a HostConfig here.
    ("container-start", "POST", "/containers/{name:.*}/start", OptionalJson, Empty),
    ("container-stop", "POST", "/containers/{name:.*}/stop", No, Empty),
    // The head comes at once, and `docker run` waits for it before it starts the container.
    ("container-wait", "POST", "/containers/{name:.*}/wait", No, Endless),
    ("container-resize", "POST", "/containers/{name:.*}/resize", No, Empty),
    ("container-attach", "POST", "/containers/{name:.*}/attach", No, Hijack),
    ("container-copy", "POST", "/containers/{name:.*}/copy", BODY, Raw),
    ("container-exec", "POST", "/containers/{name:.*}/exec", BODY, Json),
    ("exec-start", "POST", "/exec/{name:.*}/start", BODY, Hijack),
    ("exec-resize", "POST", "/exec/{name:.*}/resize", No, Empty),
    ("container-rename", "POST", "/containers/{name:.*}/rename", No, Empty),
    ("container-update", "POST", "/containers/{name:.*}/update", BODY, Json),
    ("container-prune", "POST", "/containers/prune", No, Json),
    ("commit", "POST", "/commit", OptionalJson, Json),
    ("container-archive-put", "PUT", "/containers/{name:.*}/archive", Opaque, Empty),
    ("container-delete", "DELETE", "/containers/{name:.*}", No, Empty),
    ("image-list", "GET", "/images/json", No, Json),
    ("image-search", "GET", "/images/search", No, Json),
    ("image-save-many", "GET", "/images/get", No, Raw),
    ("image-save", "GET", "/images/{name:.*}/get", No, Raw),
    ("image-history", "GET", "/images/{name:.*}/history", No, Json),
    ("image-inspect", "GET", "/images/{name:.*}/json", No, Json),
    ("image-attestations", "GET", "/images/{name:.*}/attestations", No, Json),
    ("image-load", "POST", "/images/load", Opaque, Progress),
    // A body only with `fromSrc=-`; a pull has none.
    ("image-create", "POST", "/images/create", Opaque, Progress),
    // Old clients send their credentials as a body.
    ("image-push", "POST", "/images/{name:.*}/push", OptionalJson, Progress),
    ("image-tag", "POST", "/images/{name:.*}/tag", No, Empty),
    ("image-prune", "POST", "/images/prune", No, Json),
    ("image-delete", "DELETE", "/images/{name:.*}", No, Json),
    ("options", "OPTIONS", "/{path:.*}", No, Empty),
    ("ping", "GET", "/_ping", No, Text),
    ("ping-head", "HEAD", "/_ping", No, Empty),
    ("events", "GET", "/events", No, Endless),
    ("system-info", "GET", "/info", No, Json),
    ("system-version", "GET", "/version", No, Json),
    ("system-df", "GET", "/system/df", No, Json),
    ("system-auth", "POST", "/auth", BODY, Json),
    ("volume-list", "GET", "/volumes", No, Json),
    ("volume-inspect", "GET", "/volumes/{name:.*}", No, Json),
    ("volume-create", "POST", "/volumes/create", BODY, Json),
    ("volume-prune", "POST", "/volumes/prune", No, Json),
    ("volume-update", "PUT", "/volumes/{name:.*}", BODY, Empty),
    ("volume-delete", "DELETE", "/volumes/{name:.*}", No, Empty),
    ("build", "POST", "/build", Opaque, Progress),
    ("build-prune", "POST", "/build/prune", No, Json),
    ("build-cancel", "POST", "/build/cancel", No, Empty),
    ("session", "POST", "/session", No, Upgrade),
    ("swarm-init", "POST", "/swarm/init", BODY, Json),
    ("swarm-join", "POST", "/swarm/join", BODY, Empty),
    ("swarm-leave", "POST", "/swarm/leave", No, Empty),
    ("swarm-inspect", "GET", "/swarm", No, Json),
    ("swarm-unlock-key", "GET", "/swarm/unlockkey", No, Json),
    ("swarm-update", "POST", "/swarm/update", BODY, Empty),
    ("swarm-unlock", "POST", "/swarm/unlock", BODY, Empty),
    ("service-list", "GET", "/services", No, Json),
    ("service-inspect", "GET", "/services/{id}", No, Json),
    ("service-create", "POST", "/services/create", BODY, Json),
    ("service-update", "POST", "/services/{id}/update", BODY, Json),
    ("service-delete", "DELETE", "/services/{id}", No, Empty),
    ("service-logs", "GET", "/services/{id}/logs", No, Endless),
    ("node-list", "GET", "/nodes", No, Json),
    ("node-inspect", "GET", "/nodes/{id}", No, Json),
    ("node-delete", "DELETE", "/nodes/{id}", No, Empty),
    ("node-update", "POST", "/nodes/{id}/update", BODY, Empty),
    ("task-list", "GET", "/tasks", No, Json),
    ("task-inspect", "GET", "/tasks/{id}", No, Json),
    ("task-logs", "GET", "/tasks/{id}/logs", No, Endless),
    ("secret-list", "GET", "/secrets", No, Json),
    ("secret-create", "POST", "/secrets/create", BODY, Json),
    ("secret-delete", "DELETE", "/secrets/{id}", No, Empty),
    ("secret-inspect", "GET", "/secrets/{id}", No, Json),
    ("secret-update", "POST", "/secrets/{id}/update", BODY, Empty),
    ("config-list", "GET", "/configs", No, Json),
    ("config-create", "POST", "/configs/create", BODY, Json),
    ("config-delete", "DELETE", "/configs/{id}", No, Empty),
    ("config-inspect", "GET", "/configs/{id}", No, Json),
    ("config-update", "POST", "/configs/{id}/update", BODY, Empty),
    ("plugin-list", "GET", "/plugins", No, Json),
    ("plugin-inspect", "GET", "/plugins/{name:.*}/json", No, Json),
    ("plugin-privileges", "GET", "/plugins/privileges", No, Json),
    ("plugin-delete", "DELETE", "/plugins/{name:.*}", No, Json),
    ("plugin-enable", "POST", "/plugins/{name:.*}/enable", No, Empty),
    ("plugin-disable", "POST", "/plugins/{name:.*}/disable", No, Empty),
    ("plugin-pull", "POST", "/plugins/pull", BODY, Progress),
    ("plugin-push", "POST", "/plugins/{name:.*}/push", No, Progress),
    ("plugin-upgrade", "POST", "/plugins/{name:.*}/upgrade", BODY, Progress),
    ("plugin-set", "POST", "/plugins/{name:.*}/set", BODY, Empty),
    ("plugin-create", "POST", "/plugins/create", Opaque, Empty),
    ("distribution-inspect", "GET", "/distribution/{name:.*}/json", No, Json),
    ("grpc", "POST", "/grpc", No, Upgrade),
    // Inside the tunnel of /grpc, where a path is a service and a method.
    ("buildkit-solve", "POST", control!("Solve"), Message, Raw),
    ("buildkit-status", "POST", control!("Status"), Message, Raw),
    ("buildkit-session", "POST", control!("Session"), Opaque, Raw),
    ("buildkit-prune", "POST", control!("Prune"), Message, Raw),
    ("buildkit-disk-usage", "POST", control!("DiskUsage"), Message, Raw),
    ("buildkit-workers", "POST", control!("ListWorkers"), Message, Raw),
    ("buildkit-info", "POST", control!("Info"), Message, Raw),
    ("buildkit-history", "POST", control!("ListenBuildHistory"), Message, Raw),
    ("buildkit-history-update", "POST", control!("UpdateBuildHistory"), Message, Raw),
    ("buildkit-bridge-solve", "POST", bridge!("Solve"), Message, Raw),
    ("buildkit-container-create", "POST", bridge!("NewContainer"), Message, Raw),
    ("buildkit-container-delete", "POST", bridge!("ReleaseContainer"), Message, Raw),
    ("buildkit-container-exec", "POST", bridge!("ExecProcess"), Opaque, Raw),
    ("buildkit-bridge", "POST", bridge!("Ping"), Message, Raw),
    ("buildkit-bridge", "POST", bridge!("Inputs"), Message, Raw),
    ("buildkit-bridge", "POST", bridge!("Return"), Message, Raw),
    ("buildkit-bridge", "POST", bridge!("Warn"), Message, Raw),
    ("buildkit-bridge", "POST", bridge!("Evaluate"), Message, Raw),
    ("buildkit-bridge", "POST", bridge!("ReadFile"), Message, Raw),
    ("buildkit-bridge", "POST", bridge!("ReadDir"), Message, Raw),
    ("buildkit-bridge", "POST", bridge!("StatFile"), Message, Raw),
    ("buildkit-bridge", "POST", bridge!("ResolveImageConfig"), Message, Raw),
    ("buildkit-bridge", "POST", bridge!("ResolveSourceMeta"), Message, Raw),
    ("buildkit-content", "POST", content!("Info"), Message, Raw),
    ("buildkit-content", "POST", content!("Read"), Message, Raw),
    ("buildkit-content-list", "POST", content!("List"), Message, Raw),
    ("buildkit-trace", "POST", TRACE, Message, Raw),
    ("buildkit-health", "POST", "/grpc/grpc.health.v1.Health/Check", Message, Raw),
    ("buildkit-health", "POST", "/grpc/grpc.health.v1.Health/Watch", Message, Raw),
    ("network-list", "GET", "/networks", No, Json),
    ("network-list", "GET", "/networks/", No, Json),
    ("network-inspect", "GET", "/networks/{id:.+}", No, Json),
    ("network-create", "POST", "/networks/create", BODY, Json),
    ("network-connect", "POST", "/networks/{id:.*}/connect", BODY, Empty),
    ("network-disconnect", "POST", "/networks/{id:.*}/disconnect", BODY, Empty),
    ("network-prune", "POST", "/networks/prune", No, Json),
    ("network-delete", "DELETE", "/networks/{id:.*}", No, Empty),
    ("debug-vars", "GET", "/debug/vars", No, Json),
    ("debug-index", "GET", "/debug/pprof/", No, Raw),
    ("debug-profile", "GET", "/debug/pprof/{name}", No, Raw),
    // Podman's own API, where a body must not be buffered.
    ("libpod-container-attach", "POST", "/libpod/containers/{name}/attach", No, Hijack),
    ("libpod-exec-start", "POST", "/libpod/exec/{id}/start", BODY, Hijack),
    ("libpod-container-wait", "POST", "/libpod/containers/{name}/wait", No, Endless),
    ("libpod-container-logs", "GET", "/libpod/containers/{name}/logs", No, Endless),
    ("libpod-container-stats", "GET", "/libpod/containers/stats", No, Endless),
    ("libpod-events", "GET", "/libpod/events", No, Endless),
    ("libpod-build", "POST", "/libpod/build", Opaque, Progress),
    ("libpod-image-load", "POST", "/libpod/images/load", Opaque, Progress),
    ("libpod-image-pull", "POST", "/libpod/images/pull", No, Progress),
    ("libpod-image-push", "POST", "/libpod/images/{name:.*}/push", No, Progress),
];
