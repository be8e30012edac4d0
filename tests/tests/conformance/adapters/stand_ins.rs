//! What each adapter replied: its status, its headers and the shape of its JSON, as far as a host
//! can tell it from the real one.

use powerstrip_tests::{Gate, Reply, Webhook};
use serde_json::{Value, json};

/// Leads binds of `/flocker/NAME` to a data set's folder; drops the other binds, and takes its own
/// URI for the request's. The move of a volume may take minutes.
pub(super) fn flocker(moved: Option<Gate>) -> Webhook {
    Webhook::start(move |call| {
        let mut body = body_of(call);
        let binds = strings(&body["HostConfig"]["Binds"]);
        let binds: Vec<String> = binds
            .iter()
            .filter_map(|bind| bind.strip_prefix("/flocker/")?.split_once(':'))
            .map(|(name, rest)| format!("/flocker/4711.default.{name}:{rest}"))
            .collect();
        body["HostConfig"]["Binds"] = json!(binds);
        let half = json!({
            "Method": "POST", "Request": "/flocker-adapter", "Body": body.to_string(),
        });
        let reply = html(&json!({"PowerstripProtocolVersion": 1, "ModifiedClientRequest": half}));
        match &moved {
            Some(moved) => reply.after(moved),
            None => reply,
        }
    })
}

/// Lets containers with `WEAVE_CIDR` wait for their network; echoes all else, calls without a body
/// without their `Body` key.
pub(super) fn weave() -> Webhook {
    Webhook::start(|call| {
        if call["Type"] == "post-hook" {
            return Reply::echo(call);
        }
        let mut half = call["ClientRequest"].clone();
        let mut body = body_of(call);
        let is_weave = |entry: &String| entry.starts_with("WEAVE_CIDR=");
        if half["Body"].is_null() {
            half.as_object_mut().map(|half| half.remove("Body"));
        } else if !strings(&body["Env"]).iter().any(is_weave) {
            return Reply::echo(call);
        } else if body["Image"] == "gone" {
            return Reply::status(500, "text/plain", "error: no such image: gone");
        } else {
            let mut command = vec!["/entry".to_owned()];
            command.extend(strings(&body["Cmd"]));
            body["Entrypoint"] = json!(["/home/weavewait/wait-for-weave"]);
            body["Cmd"] = json!(command);
            body["HostConfig"]["VolumesFrom"] = json!(["weavewait:ro"]);
            half["Body"] = json!(body.to_string());
        }
        Reply::json(&json!({"PowerstripProtocolVersion": 1, "ModifiedClientRequest": half}))
    })
}

/// Writes a container's address into its inspection; replies an empty half when it fails.
pub(super) fn calico() -> Webhook {
    Webhook::start(|call| {
        if call["Type"] == "pre-hook" {
            return html(&json!({"PowerstripProtocolVersion": 1, "ModifiedClientRequest": {}}));
        }
        let mut half = call["ServerResponse"].clone();
        let text = half["Body"].as_str().unwrap_or_default();
        let mut body: Value = serde_json::from_str(text).unwrap_or_default();
        body["NetworkSettings"]["IPAddress"] = json!("192.168.1.1");
        half["Body"] = json!(body.to_string());
        html(&json!({"PowerstripProtocolVersion": 1, "ModifiedServerResponse": half}))
    })
}

/// Denies containers without its labels; always replies both halves, as an adapter in Go whose
/// strings cannot be null.
pub(super) fn contiv() -> Webhook {
    Webhook::start(|call| {
        let text = |value: &Value| json!(value.as_str().unwrap_or_default());
        let client = &call["ClientRequest"];
        let is_creation = client["Request"].as_str().is_some_and(|path| path.contains("/create"));
        if is_creation && body_of(call)["Labels"]["netid"].is_null() {
            let message = "Internal Error: container has no label netid\n";
            return Reply::status(500, "text/plain; charset=utf-8", message);
        }
        let mut request = json!({"Method": "", "Request": "", "Body": ""});
        let mut response = json!({"ContentType": "", "Body": "", "Code": 0});
        if call["Type"] == "pre-hook" {
            request = json!({
                "Method": client["Method"], "Request": client["Request"],
                "Body": text(&client["Body"]),
            });
        } else {
            let server = &call["ServerResponse"];
            response = json!({
                "ContentType": text(&server["ContentType"]), "Body": server["Body"],
                "Code": server["Code"],
            });
        }
        Reply::json(&json!({
            "PowerstripProtocolVersion": 1,
            "ModifiedClientRequest": request, "ModifiedServerResponse": response,
        }))
    })
}

/// Merges a policy into the body and changes the query, in version 2.
pub(super) fn cilium() -> Webhook {
    Webhook::start(|call| {
        let mut half = call["ClientRequest"].clone();
        let mut body = body_of(call);
        body["HostConfig"]["Dns"] = json!(["10.0.0.1"]);
        let target = half["Request"].as_str().unwrap_or_default();
        half["Request"] = json!(target.replace("name=", "name=cilium-"));
        half["Body"] = json!(body.to_string());
        half["ServerIP"] = json!("");
        half["ServerPort"] = json!(0);
        Reply::json(&json!({"PowerstripProtocolVersion": 2, "ModifiedClientRequest": half}))
    })
}

/// Allows one user's images, and denies without a word.
pub(super) fn priu() -> Webhook {
    Webhook::start(|call| {
        let image = body_of(call)["Image"].as_str().unwrap_or_default().to_owned();
        match image.split_once('/') {
            Some(("clusterhq", _)) => Reply::echo(call),
            _ => Reply::status(403, "text/html; charset=utf-8", ""),
        }
    })
}

/// Makes binds of the paths in `LOGS`.
pub(super) fn logfiles() -> Webhook {
    Webhook::start(|call| {
        let mut body = body_of(call);
        let mut env = strings(&body["Env"]);
        let paths: Vec<String> = env
            .iter()
            .filter_map(|entry| entry.strip_prefix("LOGS="))
            .flat_map(|paths| paths.split(',').map(str::to_owned))
            .collect();
        if call["Type"] == "post-hook" || paths.is_empty() {
            return Reply::echo(call);
        }
        env.push("POWERSTRIP_TOKEN__=guid".to_owned());
        let mut binds = strings(&body["HostConfig"]["Binds"]);
        binds.extend(paths.iter().map(|path| format!("/logs/original/guid{path}:{path}")));
        body["Env"] = json!(env);
        body["HostConfig"]["Binds"] = json!(binds);
        Reply::body(call, &body)
    })
}

/// Says 404 where it cannot connect a container, always as JSON.
pub(super) fn socketplane() -> Webhook {
    Webhook::start(|call| {
        let body = call["ServerResponse"]["Body"].clone();
        let half = json!({"ContentType": "application/json", "Body": body, "Code": 404});
        Reply::json(&json!({"PowerstripProtocolVersion": 1, "ModifiedServerResponse": half}))
    })
}

/// Echoes, and insists on a type.
pub(super) fn debug() -> Webhook {
    Webhook::start(|call| match call["Type"].as_str() {
        Some(_) => Reply::echo(call),
        None => Reply::status(500, "text/plain", "No Type found in body"),
    })
}

/// A reply as Twisted's adapters sent it.
fn html(reply: &Value) -> Reply {
    Reply::status(200, "text/html", &reply.to_string())
}

/// The JSON in a message's `Body`.
fn body_of(call: &Value) -> Value {
    let text = call["ClientRequest"]["Body"].as_str().unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}
