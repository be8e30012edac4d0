//! An engine with its client and its registries, and scenarios that run there.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

use anyhow::Result;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::RwLock;

use super::command::{self, Printed};
use super::report::{Difference, Tally};
use super::scenario::{Line, Scenario, folder};
use super::way::{Selection, Way, Ways};
use crate::snapshot::normalised;

/// Held to read by scenarios that may run beside others, to write by those that may not.
static ENGINE_STATE: RwLock<()> = RwLock::const_new(());

/// Where a matrix is run.
pub struct Site {
    straight: Way,
    /// The same over TCP, where the engine listens so.
    network: Option<Way>,
    ways: Ways,
    registry: Option<String>,
    locked_registry: Option<String>,
    /// Where the client is looked for.
    path: OsString,
    /// The folder of the client's plugins, where it has some.
    plugins: Option<PathBuf>,
}

impl Site {
    /// Starts the ways to an engine.
    ///
    /// `programs` is a folder as `scripts/newer-engine` makes one; its client's plugins are used,
    /// and its client too where `has_client` says so.
    ///
    /// # Errors
    /// When there is no TLS to be had.
    pub async fn before(engine: &str, programs: Option<&Path>, has_client: bool) -> Result<Self> {
        let own = programs.filter(|_| has_client).map(|folder| folder.join("bin"));
        let path = env::var_os("PATH").unwrap_or_default();
        Ok(Self {
            straight: Way::straight(engine),
            network: None,
            ways: Ways::start(engine).await?,
            registry: None,
            locked_registry: None,
            path: env::join_paths(own.into_iter().chain(env::split_paths(&path)))?,
            plugins: programs.map(|folder| folder.join("cli-plugins")),
        })
    }

    /// Names where the engine listens over TCP, so that like is compared with like.
    #[must_use]
    pub fn with_network(mut self, address: Option<&str>) -> Self {
        self.network = address.map(Way::straight);
        self
    }

    /// Names the registries that the engine can reach: one that is open, and one with a login.
    #[must_use]
    pub fn with_registries(mut self, open: Option<&str>, locked: Option<&str>) -> Self {
        self.registry = open.map(str::to_owned);
        self.locked_registry = locked.map(str::to_owned);
        self
    }

    /// What a scenario needs and this place does not have.
    #[must_use]
    pub fn lacks<'a>(&self, scenario: &'a Scenario) -> Option<&'a str> {
        let has_plugin = |name: &str| self.plugin(name).is_some();
        let has = |word: &str| match word {
            "registry" => self.registry.is_some(),
            "login" => self.locked_registry.is_some(),
            plugin => has_plugin(&format!("docker-{plugin}")),
        };
        scenario.needs().find(|word| !has(word))
    }

    /// Runs a scenario straight at the engine and on the selected ways, and compares.
    ///
    /// # Errors
    /// When there is no folder to run in.
    pub async fn compare(
        &self,
        scenario: &Scenario,
        selection: Selection,
        number: usize,
    ) -> Result<Tally> {
        let (_shared, _alone) = match scenario.is_alone() {
            true => (None, Some(ENGINE_STATE.write().await)),
            false => (Some(ENGINE_STATE.read().await), None),
        };
        let mut tally = Tally { commands: scenario.commands.len(), ..Tally::default() };
        let ways = self.ways.of(scenario, selection, number);
        let (tcp, others): (Vec<&Way>, Vec<&Way>) = ways.iter().partition(|way| way.is_plain_tcp);
        let network = self.network.as_ref().unwrap_or(&self.straight);
        for (straight, ways) in [(network, tcp), (&self.straight, others)] {
            if !ways.is_empty() {
                tally.add(self.against(straight, scenario, &ways).await?);
            }
        }
        Ok(tally)
    }

    /// Compares these ways with one that has no Powerstrip on it.
    async fn against(&self, straight: &Way, scenario: &Scenario, ways: &[&Way]) -> Result<Tally> {
        let straight = self.run(scenario, straight).await?;
        let mut tally = Tally::default();
        for way in ways {
            let through = self.run(scenario, way).await?;
            tally.comparisons += through.len();
            tally.differences.extend(differences(scenario, way, &straight, &through));
        }
        let texts = scenario.commands.iter().map(|line| line.text().to_owned());
        tally.straight = texts.zip(straight).collect();
        Ok(tally)
    }

    async fn run(&self, scenario: &Scenario, way: &Way) -> Result<Vec<Printed>> {
        let place = Place::new(self.plugins.as_deref())?;
        let mut all = Vec::new();
        for line in &scenario.commands {
            let printed = command::run(line, self.shell(way, &place)).await;
            all.push(place.without_names(printed));
        }
        // What a scenario leaves behind must not be seen by the next, whether or not it went well.
        let clean = Line::Shell("clean >/dev/null 2>&1".to_owned());
        command::run(&clean, self.shell(&self.straight, &place)).await;
        Ok(all)
    }

    /// A shell in which `docker` is a client that takes this way.
    fn shell(&self, way: &Way, place: &Place) -> Command {
        let mut shell = Command::new("bash");
        shell.env_clear().env("PATH", &self.path).current_dir(place.folder());
        shell.env("BASH_ENV", folder().join("prelude.sh")).env("SHELL", "/bin/bash");
        shell.env("TERM", "xterm").env("LC_ALL", "C.UTF-8").env("HOME", place.home.path());
        shell.env("NAME", &place.name).env("COMPOSE_PROJECT_NAME", &place.name);
        shell.env("DOCKER_CONFIG", place.home.path().join("docker"));
        shell.env("DOCKER_HOST", &way.address).env("BUILDKIT_PROGRESS", "plain");
        if let Some(certificates) = &way.certificates {
            shell.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", certificates);
        }
        shell.env("REGISTRY", self.registry.as_deref().unwrap_or_default());
        shell.env("LOCKED_REGISTRY", self.locked_registry.as_deref().unwrap_or_default());
        shell
    }

    fn plugin(&self, name: &str) -> Option<PathBuf> {
        let path = self.plugins.as_ref()?.join(name);
        path.is_file().then_some(path)
    }
}

/// What one run of a scenario has for itself.
struct Place {
    /// Of its containers, images, networks and so on; always of the same length, because clients
    /// align their tables by it.
    name: String,
    /// With the folder that it runs in, and the client's configuration beside that.
    home: TempDir,
}

impl Place {
    fn new(plugins: Option<&Path>) -> Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);

        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("matrix-{:07}-{number:04}", std::process::id());
        let home = tempfile::Builder::new().prefix("matrix-").rand_bytes(8).tempdir()?;
        fs::create_dir(home.path().join("work"))?;
        fs::create_dir(home.path().join("docker"))?;
        if let Some(plugins) = plugins {
            symlink(plugins, home.path().join("docker/cli-plugins"))?;
        }
        Ok(Self { name, home })
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("work")
    }

    fn without_names(&self, printed: Printed) -> Printed {
        let home = self.home.path().display().to_string();
        let same =
            |text: String| normalised(&text.replace(&self.name, "NAME").replace(&home, "HOME"));
        Printed { end: printed.end, stdout: same(printed.stdout), stderr: same(printed.stderr) }
    }
}

fn differences<'a>(
    scenario: &'a Scenario,
    way: &'a Way,
    straight: &'a [Printed],
    through: &'a [Printed],
) -> impl Iterator<Item = Difference> + 'a {
    let all = scenario.commands.iter().zip(straight.iter().zip(through));
    all.filter(|(_, (straight, through))| straight != through).map(|(line, (straight, through))| {
        Difference {
            scenario: format!("{}: {}", scenario.theme, scenario.title),
            command: line.text().to_owned(),
            way: way.name.clone(),
            straight: straight.clone(),
            through: through.clone(),
        }
    })
}
