//! What came of it.

use std::fmt;

use super::command::Printed;

/// A command that did something else through Powerstrip.
#[derive(Debug)]
pub struct Difference {
    /// Theme and title of the scenario.
    pub scenario: String,
    /// The command.
    pub command: String,
    /// The way on which it differed.
    pub way: String,
    /// What it did straight at the engine.
    pub straight: Printed,
    /// What it did on that way.
    pub through: Printed,
}

impl fmt::Display for Difference {
    /// One line, so that many can be counted and sorted.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, command, way, straight, through } = self;
        write!(formatter, "DIFFERENCE in {scenario}, {way}: {command:?}:")?;
        let parts = [
            ("end", &straight.end, &through.end),
            ("stdout", &straight.stdout, &through.stdout),
            ("stderr", &straight.stderr, &through.stderr),
        ];
        for (name, straight, through) in parts.into_iter().filter(|(_, left, right)| left != right)
        {
            write!(formatter, " {name} was {straight:?} and became {through:?};")?;
        }
        Ok(())
    }
}

/// How much was compared.
#[derive(Debug, Default)]
pub struct Tally {
    /// Commands of the rows that ran.
    pub commands: usize,
    /// Commands that were compared, each way counted.
    pub comparisons: usize,
    /// What differed.
    pub differences: Vec<Difference>,
    /// The commands, and what they did straight at the engine.
    pub straight: Vec<(String, Printed)>,
}

impl Tally {
    /// Adds what another scenario, or another engine, gave.
    pub fn add(&mut self, other: Self) {
        self.commands += other.commands;
        self.comparisons += other.comparisons;
        self.differences.extend(other.differences);
        self.straight.extend(other.straight);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commands, comparisons, differences, .. } = self;
        let differences = differences.len();
        write!(
            formatter,
            "{commands} commands, {comparisons} comparisons, {differences} differences"
        )
    }
}
