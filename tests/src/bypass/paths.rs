//! P1 to P19: the request line.

use super::{EVIL, Spelling, create, get, kill, post};

/// Targets of a create, by row.
const TARGETS: &[(&str, &[&str])] = &[
    ("P1", &["/containers/create", "/v1.41/containers/create", "/v1.24/containers/create"]),
    (
        "P2",
        &[
            "/v1.41.0.0.0/containers/create",
            "/v01.41/containers/create",
            "/v1.0000041/containers/create",
            "/v1.41./containers/create",
            "/v1.41../containers/create",
            "/v1.41.0/containers/create",
            "/v.1.41/containers/create",
            "/v0001.41/containers/create",
            "/v1.41.00/containers/create",
            "/v1.41.1/containers/create",
        ],
    ),
    (
        "P3",
        &[
            "/v./containers/create",
            "/v.../containers/create",
            "/v1..41/containers/create",
            "/v1/containers/create",
            "/V1.41/containers/create",
            "/v/containers/create",
            "/v1.41x/containers/create",
        ],
    ),
    (
        "P4",
        &[
            "/containers%2fcreate",
            "/v1.41%2Fcontainers%2Fcreate",
            "/v1.41/containers%2Fcreate",
            "%2Fv1.41%2Fcontainers%2Fcreate",
            "/%2Fv1.41/containers/create",
        ],
    ),
    (
        "P5",
        &[
            "/%63ontainers/create",
            "/v1.41/containers/creat%65",
            "/%76%31.41/containers/create",
            "/v1%2e41/containers/create",
            "/v1.41/%63%6f%6E%74ainers/%63%72%65%61%74%65",
        ],
    ),
    (
        "P6",
        &[
            "/v1.41/containers%252fcreate",
            "/v1.41/containers/%2563reate",
            "/v1%252e41/containers/create",
        ],
    ),
    (
        "P7",
        &[
            "/v1.41/containers/create%zz",
            "/v1.41/containers/create%",
            "/v1.41/%4/containers/create",
        ],
    ),
    (
        "P8",
        &[
            "//containers/create",
            "///v1.41/containers/create",
            "/v1.41//containers/create",
            "/v1.41/containers//create",
            "/v1.41/./containers/create",
            "/v1.41/x/../containers/create",
            "/v1.41/containers/x/../create",
            "/v1.41/containers/%2e/create",
            "/v1.41/%2e%2e/v1.41/containers/create",
            "/x%2f..%2fcontainers/create",
            "/../containers/create",
        ],
    ),
    ("P9", &["/containers/create/", "/v1.41/containers/create/", "/v1.41/containers/create/."]),
    ("P10", &["/Containers/create", "/v1.41/containers/CREATE", "/v1.41/containers/%43reate"]),
    (
        "P11",
        &[
            "/v1.41/containers/create;x",
            "/v1.41/containers;x/create",
            "/v1.41/containers/create%3f",
            "/v1.41/containers/create%3Fa=b",
            "/v1.41/containers/create%00",
            "/v1.41/containers/create%20",
            "/v1.41/containers/create%0a",
            "/v1.41/containers/create%0d",
            "/v1.41\\containers\\create",
            "/v1.41/containers%5ccreate",
            "/v1.41/containers/create%c0%af",
            "/v1.41/containers/create\u{ff}",
            "/v1.41/containers/create\t",
        ],
    ),
    (
        "P12",
        &[
            "http://evil/v1.41/containers/create",
            "https://evil/containers/create",
            "HTTP://u:p@evil:1/v1.41/containers/create",
            "http:///v1.41/containers/create",
            "http://evil/v1.41/containers%2fcreate",
            "http:/v1.41/containers/create",
            "ftp://evil/v1.41/containers/create",
            "evil/v1.41/containers/create",
            "//evil/v1.41/containers/create",
            "http://evil?/v1.41/containers/create",
        ],
    ),
    (
        "P19",
        &[
            "/v1.41/containers/create#x",
            "/v1.41/containers/create?#x",
            "#/v1.41/containers/create",
            "/v1.41/containers/create%23x",
        ],
    ),
];

/// Targets that kill, by row: what stands for the name.
const KILLS: &[(&str, &[&str])] = &[
    ("P13", &["a/b", "a%2fb", "a/b/c", "%2f", "a%2Fkill"]),
    ("P14", &["create", "json", "prune", "kill", "none/kill", "start"]),
    ("P15", &["%6eone", "n%6Fne", "none%20", "sha256:none", "NONE"]),
];

pub(super) fn spellings() -> Vec<Spelling> {
    let of_target = |(row, targets): &(&'static str, &'static [&str])| {
        let row = *row;
        targets.iter().map(move |it| Spelling::evil(row, *it, create(it, EVIL)))
    };
    let of_name = |(row, names): &(&'static str, &'static [&str])| {
        let row = *row;
        names.iter().map(move |name| {
            let target = kill("signal=BOGUS").replace("/none/", &format!("/{name}/"));
            Spelling::evil(row, target.clone(), post(&target, "", ""))
        })
    };
    let mut all: Vec<_> = TARGETS.iter().flat_map(of_target).collect();
    all.extend(KILLS.iter().flat_map(of_name));
    all.extend(["post", "Post", "PUT", "GET", "HEAD", "PATCH", "OPTIONS", "POST\t"].map(method));
    let debug = ["/debug/vars", "/v1.41/debug/vars", "/debug%2fvars", "/v1.24/%64ebug/vars"];
    all.extend(debug.map(|target| Spelling::evil("P17", target, get(target))));
    all.push(Spelling::evil("P17", "POST /debug/vars", post("/debug/vars", "", "")));
    all.extend(["/grpc", "/v1.41/grpc", "/v1.41%2fgrpc"].map(grpc));
    all
}

fn method(method: &str) -> Spelling {
    let bytes = create("/v1.41/containers/create", EVIL);
    Spelling::evil("P16", method, [method.as_bytes(), &bytes["POST".len()..]].concat())
}

fn grpc(target: &str) -> Spelling {
    let headers = "Connection: Upgrade\r\nUpgrade: h2c\r\n";
    Spelling::evil("P18", target, post(target, headers, ""))
}
