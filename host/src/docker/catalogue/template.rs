//! Path templates in gorilla/mux's notation, with the three kinds of variables that moby uses.

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(&'static str),
    Variable(&'static str, Kind),
}

/// What a variable may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{name:.*}`: anything, also nothing.
    Any,
    /// `{name:.+}`: anything but nothing.
    Some,
    /// `{name}`: anything but nothing, up to the next slash.
    Segment,
}

/// Takes a template apart. The templates are our own, so that there is nothing to report.
pub(super) fn parse(template: &'static str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once('{') {
        let (variable, tail) = tail.split_once('}').unwrap_or((tail, ""));
        let (name, pattern) = variable.split_once(':').unwrap_or((variable, ""));
        let kind = match pattern {
            ".*" => Kind::Any,
            ".+" => Kind::Some,
            _ => Kind::Segment,
        };
        parts.extend([Part::Literal(literal), Part::Variable(name, kind)]);
        rest = tail;
    }
    parts.push(Part::Literal(rest));
    parts
}

/// The values of the variables, if the whole path matches; each as long as can be.
pub(super) fn matches(parts: &[Part], path: &str) -> Option<Vec<(&'static str, String)>> {
    match parts {
        [] => path.is_empty().then(Vec::new),
        // The last literal needs no search: it is an end.
        [Part::Variable(name, kind), Part::Literal(end)] => {
            let value = path.strip_suffix(end)?;
            kind.admits(value).then(|| vec![(*name, value.to_owned())])
        }
        [Part::Literal(literal), rest @ ..] => matches(rest, path.strip_prefix(literal)?),
        // Only a segment comes before another variable, and it ends at a slash: no way back is
        // ever needed, however long a path is.
        [Part::Variable(name, kind), rest @ ..] => {
            let (value, tail) = path.split_at(path.find('/')?);
            let mut values = matches(rest, tail)?;
            values.insert(0, (*name, value.to_owned()));
            kind.admits(value).then_some(values)
        }
    }
}

/// The path with these values, in the order of the variables.
pub(super) fn fill(parts: &[Part], variables: &[(&'static str, String)]) -> String {
    let mut values = variables.iter();
    let text = parts.iter().map(|part| match part {
        Part::Literal(literal) => *literal,
        Part::Variable(..) => values.next().map_or("", |(_, value)| value),
    });
    text.collect()
}

impl Kind {
    fn admits(self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Some => !value.is_empty(),
            Self::Segment => !value.is_empty() && !value.contains('/'),
        }
    }
}
