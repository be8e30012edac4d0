//! Random JSON bodies: good ones, and all that readers disagree on.

use fastrand::Rng;

/// What a name holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    Number,
    Texts,
    Map,
    Object(&'static [(&'static str, Kind)]),
    Objects(&'static [(&'static str, Kind)]),
    MapOfObjects(&'static [(&'static str, Kind)]),
}

const MOUNT: &[(&str, Kind)] = &[
    ("Type", Kind::Text),
    ("Source", Kind::Text),
    ("Target", Kind::Text),
    ("ReadOnly", Kind::Flag),
    ("VolumeOptions", Kind::Object(&[("NoCopy", Kind::Flag), ("Labels", Kind::Map)])),
];

const HOST_CONFIG: &[(&str, Kind)] = &[
    ("Binds", Kind::Texts),
    ("NetworkMode", Kind::Text),
    ("Privileged", Kind::Flag),
    ("CapAdd", Kind::Texts),
    ("Memory", Kind::Number),
    ("MemorySwap", Kind::Number),
    ("CpuShares", Kind::Number),
    ("CpusetCpus", Kind::Text),
    ("VolumeDriver", Kind::Text),
    ("Sysctls", Kind::Map),
    ("LogConfig", Kind::Object(&[("Type", Kind::Text), ("Config", Kind::Map)])),
    ("RestartPolicy", Kind::Object(&[("Name", Kind::Text), ("MaximumRetryCount", Kind::Number)])),
    ("PortBindings", Kind::MapOfObjects(&[("HostIp", Kind::Text), ("HostPort", Kind::Text)])),
    ("Devices", Kind::Objects(&[("PathOnHost", Kind::Text), ("CgroupPermissions", Kind::Text)])),
    ("Mounts", Kind::Objects(MOUNT)),
    ("Init", Kind::Flag),
];

const NETWORKING: &[(&str, Kind)] = &[(
    "EndpointsConfig",
    Kind::Object(&[("net", Kind::Object(&[("Aliases", Kind::Texts), ("NetworkID", Kind::Text)]))]),
)];

const CREATE: &[(&str, Kind)] = &[
    ("Image", Kind::Text),
    ("Hostname", Kind::Text),
    ("User", Kind::Text),
    ("Tty", Kind::Flag),
    ("Env", Kind::Texts),
    ("Cmd", Kind::Texts),
    ("Labels", Kind::Map),
    ("StopTimeout", Kind::Number),
    ("Healthcheck", Kind::Object(&[("Test", Kind::Texts), ("Interval", Kind::Number)])),
    ("HostConfig", Kind::Object(HOST_CONFIG)),
    ("HostConfig", Kind::Object(HOST_CONFIG)),
    ("NetworkingConfig", Kind::Object(NETWORKING)),
    ("Cpuset", Kind::Text),
];

const EXEC: &[(&str, Kind)] = &[
    ("User", Kind::Text),
    ("Privileged", Kind::Flag),
    ("Tty", Kind::Flag),
    ("Detach", Kind::Flag),
    ("DetachKeys", Kind::Text),
    ("Env", Kind::Texts),
    ("WorkingDir", Kind::Text),
    ("Cmd", Kind::Texts),
];

const CONTAINER_SPEC: &[(&str, Kind)] = &[
    ("Image", Kind::Text),
    ("Labels", Kind::Map),
    ("Command", Kind::Texts),
    ("Env", Kind::Texts),
    ("User", Kind::Text),
    ("TTY", Kind::Flag),
    ("Mounts", Kind::Objects(MOUNT)),
    ("CapabilityAdd", Kind::Texts),
    ("Sysctls", Kind::Map),
    ("Privileges", Kind::Object(&[("SELinuxContext", Kind::Object(&[("Disable", Kind::Flag)]))])),
    ("Secrets", Kind::Objects(&[("SecretID", Kind::Text), ("SecretName", Kind::Text)])),
    ("StopGracePeriod", Kind::Number),
];

const TASK: &[(&str, Kind)] = &[
    ("ContainerSpec", Kind::Object(CONTAINER_SPEC)),
    ("ContainerSpec", Kind::Object(CONTAINER_SPEC)),
    ("Resources", Kind::Object(&[("Limits", Kind::Object(&[("MemoryBytes", Kind::Number)]))])),
    ("Networks", Kind::Objects(&[("Target", Kind::Text), ("DriverOpts", Kind::Map)])),
    ("LogDriver", Kind::Object(&[("Name", Kind::Text), ("Options", Kind::Map)])),
    ("ForceUpdate", Kind::Number),
];

const PORT: &[(&str, Kind)] =
    &[("Protocol", Kind::Text), ("PublishedPort", Kind::Number), ("PublishMode", Kind::Text)];

const SERVICE: &[(&str, Kind)] = &[
    ("Name", Kind::Text),
    ("Labels", Kind::Map),
    ("TaskTemplate", Kind::Object(TASK)),
    ("TaskTemplate", Kind::Object(TASK)),
    ("Mode", Kind::Object(&[("Replicated", Kind::Object(&[("Replicas", Kind::Number)]))])),
    ("EndpointSpec", Kind::Object(&[("Mode", Kind::Text), ("Ports", Kind::Objects(PORT))])),
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "host",
    "container:x",
    "bind",
    "/",
    "/:/x",
    "é",
    "ſ",
    "\u{1f600}",
    "\\u0000",
    "\\n",
    "\\ud83d\\ude00",
    "\\\"",
    "<&>",
    "\u{2028}",
    "\\/",
    "HostConfig",
];

const BAD_TEXTS: &[&str] = &["\\ud800", "\\udc00x", "\\x", "\n", "\\u12", "\u{7f}"];

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "7",
    "-1",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "1.0",
    "1e2",
    "1e999",
    "0.0",
    "01",
    "+1",
    "1.",
    "-",
    "NaN",
    "12345678901234567890123",
];

const ENDS: &[&str] = &["{}", " junk", "}", "]", "}} x", "],{}", "\n\n", "\0", ",", "null"];

/// How wild a document is, in 256ths; most are nearly good, or hardly one would be taken.
struct Maker<'a> {
    random: &'a mut Rng,
    wild: u8,
    text: String,
}

/// Names, and what each holds.
type Fields = &'static [(&'static str, Kind)];

/// Which body it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A container's create.
    Create,
    /// The same, with fields of `HostConfig` at its top, as old clients put them.
    LegacyCreate,
    /// The creation of an exec.
    Exec,
    /// The creation or update of a service.
    Service,
}

impl Body {
    fn fields(self) -> (Fields, Fields) {
        match self {
            Self::Create => (CREATE, &[]),
            Self::LegacyCreate => (CREATE, HOST_CONFIG),
            Self::Exec => (EXEC, &[]),
            Self::Service => (SERVICE, &[]),
        }
    }
}

/// A body of this kind.
#[must_use]
pub fn document(random: &mut Rng, body: Body) -> Vec<u8> {
    let wild = [0, 0, 4, 12, 40][random.usize(..5)];
    let mut maker = Maker { random, wild, text: String::new() };
    let (fields, more) = body.fields();
    maker.object(fields, more);
    if maker.is_wild() {
        maker.text.push_str(ENDS[maker.random.usize(..ENDS.len())]);
    }
    let broken = maker.is_wild() && maker.random.bool();
    let mut bytes = maker.text.into_bytes();
    if broken {
        let at = random.usize(..bytes.len());
        bytes[at] = random.u8(..);
    }
    bytes
}

impl Maker<'_> {
    fn is_wild(&mut self) -> bool {
        self.random.u8(..) < self.wild
    }

    fn object(&mut self, fields: &[(&'static str, Kind)], more: &[(&'static str, Kind)]) {
        self.text.push('{');
        let count = self.random.usize(..6);
        let mut used: Vec<&str> = Vec::new();
        for _ in 0..count {
            let at = self.random.usize(..fields.len() + more.len());
            let (name, kind) = if at < fields.len() { fields[at] } else { more[at - fields.len()] };
            if used.contains(&name) && !self.is_wild() {
                continue;
            }
            if !used.is_empty() {
                self.text.push(',');
            }
            used.push(name);
            self.name(name);
            self.text.push(':');
            self.value(kind);
        }
        if self.is_wild() {
            self.unknown(!used.is_empty());
        }
        self.text.push('}');
    }

    /// A name that Go does not know, with a value of any depth.
    fn unknown(&mut self, comma: bool) {
        let depth = [1, 3, 100, 130, 511, 600][self.random.usize(..6)];
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let comma = if comma { "," } else { "" };
        self.text.push_str(&format!("{comma}\"New\":{open}{{\"a\":1,\"A\":2}}{close}"));
    }

    fn name(&mut self, name: &str) {
        self.text.push('"');
        let way =
            if self.random.u8(..) < self.wild.saturating_mul(2) { self.random.u8(1..8) } else { 0 };
        match way {
            0 => self.text.push_str(name),
            1 => self.text.push_str(&name.to_lowercase()),
            2 => self.text.push_str(&name.to_uppercase()),
            3 => self.text.push_str(&name.replace('s', "ſ").replace(['k', 'K'], "\u{212a}")),
            4 => self.text.push_str(&name.replace('s', "\\u017f").replace('o', "\\u006F")),
            5 => self.text.push_str(&name.replace('i', "ı")),
            6 => self.text.push_str(&format!("{name} ")),
            _ => {
                let flipped = name.chars().map(|c| match self.random.bool() {
                    true => c.to_ascii_uppercase(),
                    false => c.to_ascii_lowercase(),
                });
                let flipped: String = flipped.collect();
                self.text.push_str(&flipped);
            }
        }
        self.text.push('"');
    }

    fn value(&mut self, kind: Kind) {
        if self.is_wild() {
            let odd = ["null", "[]", "{}", "true", "1", "\"x\"", "{\"Type\":1}"];
            return self.text.push_str(odd[self.random.usize(..odd.len())]);
        }
        match kind {
            Kind::Text => self.string(),
            Kind::Flag => self.text.push_str(if self.random.bool() { "true" } else { "false" }),
            Kind::Number => {
                let all = if self.is_wild() { NUMBERS.len() } else { 7 };
                self.text.push_str(NUMBERS[self.random.usize(..all)]);
            }
            Kind::Texts => self.list(Self::string),
            Kind::Map => self.map(Self::string),
            Kind::Object(fields) => self.object(fields, &[]),
            Kind::Objects(fields) => self.list(|it| it.object(fields, &[])),
            Kind::MapOfObjects(fields) => {
                self.map(|it| it.list(|it| it.object(fields, &[])));
            }
        }
    }

    fn list(&mut self, mut item: impl FnMut(&mut Self)) {
        self.text.push('[');
        for number in 0..self.random.usize(..3) {
            if number > 0 {
                self.text.push(',');
            }
            item(self);
        }
        self.text.push(']');
    }

    fn map(&mut self, mut value: impl FnMut(&mut Self)) {
        self.text.push('{');
        for number in 0..self.random.usize(..3) {
            if number > 0 {
                self.text.push(',');
            }
            let keys = ["\"a\"", "\"A\"", "\"80/tcp\"", "\"\\u0061\"", "\"ſ\"", "\"s\""];
            let key = if self.is_wild() { self.random.usize(..keys.len()) } else { number };
            self.text.push_str(keys[key]);
            self.text.push(':');
            value(self);
        }
        self.text.push('}');
    }

    fn string(&mut self) {
        let from = if self.is_wild() { BAD_TEXTS } else { TEXTS };
        self.text.push('"');
        self.text.push_str(from[self.random.usize(..from.len())]);
        self.text.push('"');
    }
}
