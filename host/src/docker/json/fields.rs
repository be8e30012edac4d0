//! The names that dockerd knows in each body, read from `fields.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What the API's definition says of a place in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A plain value, or nothing is known.
    Unknown,
    /// An object with names that dockerd knows, in whatever case they come.
    Struct(Fields),
    /// An object with users' own keys, where case matters.
    Map(Box<Shape>),
    /// A list of these.
    List(Box<Shape>),
}

/// The fields of a struct, by the length of their names: what is looked for is any key of any body,
/// and few names are as long as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<Vec<Field>>);

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// The canonical spelling.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) shape: Shape,
    /// Its place among all fields.
    pub(super) place: usize,
}

impl Fields {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// The field that Go's decoder would put a key's value into.
    pub(super) fn find(&self, key: &str) -> Option<&Field> {
        self.named(key).or_else(|| self.alike(key))
    }

    /// The field of just this name, as nearly all keys are spelled.
    pub(super) fn named(&self, key: &str) -> Option<&Field> {
        let first = key.as_bytes().first();
        // Of those that are as long, hardly two begin alike.
        let mut names = self.as_long_as(key).iter();
        names.find(|field| field.name.as_bytes().first() == first && field.name == key)
    }

    /// The field of this name in another spelling.
    pub(super) fn alike(&self, key: &str) -> Option<&Field> {
        let folded = fold(key);
        self.as_long_as(&folded).iter().find(|field| field.name.eq_ignore_ascii_case(&folded))
    }

    fn as_long_as(&self, key: &str) -> &[Field] {
        self.0.get(key.len()).map_or(&[], Vec::as_slice)
    }

    /// Adds a field, in place of one of the same name.
    fn add(&mut self, name: &'static str, shape: Shape) {
        let place = self.find(name).map_or_else(|| self.len(), |field| field.place);
        assert!(place < Places::ALL, "a struct has more fields than are told apart");
        if self.0.len() <= name.len() {
            self.0.resize(name.len() + 1, Vec::new());
        }
        let alike = &mut self.0[name.len()];
        alike.retain(|field| field.place != place);
        alike.push(Field { name, shape, place });
    }

    fn iter(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().flatten()
    }
}

/// Some of the fields of one struct, by their places.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Places([u64; 4]);

impl Places {
    /// Places that there are.
    const ALL: usize = 256;

    /// Adds one; whether it was not there yet.
    pub(super) fn insert(&mut self, place: usize) -> bool {
        let (bits, bit) = (&mut self.0[place / 64], 1 << (place % 64));
        let is_new = *bits & bit == 0;
        *bits |= bit;
        is_new
    }

    /// The first of them.
    fn first(&self) -> Option<usize> {
        let word = self.0.iter().position(|bits| *bits != 0)?;
        Some(64 * word + self.0[word].trailing_zeros() as usize)
    }
}

/// A key in the form in which Go's decoder compares names: besides ASCII, two signs of Unicode
/// fold to letters.
pub(super) fn fold(key: &str) -> String {
    let letter = |c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(letter).collect()
}

/// The body of the endpoint with this name.
pub(super) fn of(endpoint: &str) -> &'static Shape {
    BODIES.get(endpoint).unwrap_or(&Shape::Unknown)
}

/// The JSON in a parameter of the query of the endpoint with this name.
pub(super) fn of_parameter(endpoint: &str, name: &str) -> Option<&'static Shape> {
    let mut known = PARAMETERS.iter();
    let found =
        known.find(|it| it.name == name && (it.endpoint == endpoint || it.endpoint.is_empty()));
    found.map(|parameter| &parameter.shape)
}

/// A parameter of the query that holds JSON.
struct Parameter {
    /// Of which endpoint; empty for all of them.
    endpoint: &'static str,
    name: &'static str,
    shape: Shape,
}

/// The fields of `HostConfig`.
pub(super) fn host_config() -> &'static Fields {
    match of("container-start") {
        Shape::Struct(fields) => fields,
        _ => unreachable!("the body of container-start is a HostConfig"),
    }
}

/// The body of `container-create` for engines that take `HostConfig`'s fields at the top level.
pub(super) fn legacy_create() -> &'static Shape {
    &LEGACY_CREATE
}

/// Whether a create with these fields, by their places, has any at the top level that may have to be
/// moved.
pub(super) fn has_legacy(outermost: &Places) -> bool {
    // They come before the create's own, behind them the one that has another name there.
    outermost.first().is_some_and(|place| place <= host_config().len())
}

static LEGACY_CREATE: LazyLock<Shape> = LazyLock::new(|| {
    let mut fields = host_config().clone();
    fields.add("Cpuset", Shape::Unknown);
    if let Shape::Struct(own) = of("container-create") {
        own.iter().for_each(|field| fields.add(field.name, field.shape.clone()));
    }
    Shape::Struct(fields)
});

static BODIES: LazyLock<HashMap<&'static str, Shape>> =
    LazyLock::new(|| shapes(include_str!("../fields.txt")));

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(|| {
    let mut shapes: Vec<_> = shapes(include_str!("../parameters.txt")).into_iter().collect();
    // What is said of one endpoint counts before what is said of all.
    shapes.sort_unstable_by_key(|(name, _)| (name.starts_with('?'), *name));
    let named = |(name, shape): (&'static str, Shape)| {
        let (endpoint, name) = name.split_once('?').expect("`ENDPOINT?NAME`, or `?NAME`");
        Parameter { endpoint, name, shape }
    };
    shapes.into_iter().map(named).collect()
});

fn shapes(text: &'static str) -> HashMap<&'static str, Shape> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines: Vec<_> = lines.map(Line::parse).collect();
    let mut rest = &lines[..];
    let mut shapes = HashMap::new();
    while let [line, tail @ ..] = rest {
        rest = tail;
        let shape = take_shape(line, &mut rest);
        shapes.extend(line.names.iter().map(|name| (*name, shape.clone())));
    }
    shapes
}

/// A line of `fields.txt`.
struct Line {
    depth: usize,
    names: Vec<&'static str>,
    /// `[]` and `{}`, the outermost first.
    wrappers: Vec<&'static str>,
}

impl Line {
    fn parse(line: &'static str) -> Self {
        let depth = (line.len() - line.trim_start().len()) / 2;
        let words = line.split_whitespace();
        let (wrappers, names) = words.partition(|word| matches!(*word, "[]" | "{}"));
        Self { depth, names, wrappers }
    }
}

/// The shape that a line describes together with the deeper ones after it.
fn take_shape(line: &Line, rest: &mut &[Line]) -> Shape {
    let mut fields = Fields::default();
    while let [inner, tail @ ..] = *rest
        && inner.depth > line.depth
    {
        *rest = tail;
        let shape = take_shape(inner, rest);
        for name in inner.names.iter().copied() {
            fields.add(name, shape.clone());
        }
    }
    let core = if fields.len() == 0 { Shape::Unknown } else { Shape::Struct(fields) };
    line.wrappers.iter().rev().fold(core, |shape, wrapper| match *wrapper {
        "[]" => Shape::List(Box::new(shape)),
        _ => Shape::Map(Box::new(shape)),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::docker::catalogue;

    #[test]
    fn every_endpoint_with_json_has_its_fields() {
        let json = |endpoint: &&catalogue::Endpoint| {
            use catalogue::RequestBody::{Json, OptionalJson};
            matches!(endpoint.request, Json | OptionalJson) && !endpoint.name.starts_with("libpod")
        };

        let missing: Vec<_> = catalogue::all()
            .iter()
            .filter(json)
            .map(|endpoint| endpoint.name)
            .filter(|name| !BODIES.contains_key(name))
            .collect();

        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn fields_are_of_endpoints_that_exist() {
        let known: Vec<_> = catalogue::all().iter().map(|endpoint| endpoint.name).collect();

        let unknown: Vec<_> = BODIES.keys().filter(|name| !known.contains(*name)).collect();

        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn lists_of_maps_of_structs_are_told_apart() {
        let ports = host_config().find("portbindings").map(|field| &field.shape);

        let Some(Shape::Map(list)) = ports else { panic!("a map, not {ports:?}") };

        assert!(matches!(&**list, Shape::List(item) if matches!(**item, Shape::Struct(_))));
    }

    #[test]
    fn config_and_host_config_share_no_name() {
        let Shape::Struct(config) = of("container-create") else { panic!("a struct") };

        let names = config.iter().map(|field| field.name);
        let shared: Vec<_> = names.filter(|name| host_config().find(name).is_some()).collect();

        assert!(shared.is_empty(), "{shared:?}");
    }

    #[test]
    fn every_field_is_found_by_its_name_in_any_case() {
        for field in host_config().iter() {
            let spellings = [field.name.to_owned(), field.name.to_uppercase(), fold(field.name)];

            let found = spellings.each_ref().map(|key| host_config().find(key));

            assert_eq!(found, [Some(field); 3]);
        }
        let places: HashSet<_> = host_config().iter().map(|field| field.place).collect();
        assert_eq!(places, (0..host_config().len()).collect());
        assert!(host_config().find("\u{212a}ernelMemory").is_some());
        assert_eq!(host_config().find("Privilege"), None);
    }
}
