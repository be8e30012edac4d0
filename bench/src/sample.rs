//! What one turn has given, and what several have.

use std::time::Duration;

/// One turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Processor time for each request, in microseconds; none where there is no process to look at.
    pub(crate) cpu: Option<f64>,
    /// Requests in a second.
    pub(crate) rate: f64,
    /// The time within which half of the requests were answered.
    pub(crate) p50: Duration,
    /// The time within which 99 of 100 were.
    pub(crate) p99: Duration,
}

/// The medians of several turns.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    /// Processor time for each request, in microseconds.
    pub(crate) cpu: Option<f64>,
    /// The least and the most that a turn had.
    pub(crate) cpu_range: Option<(f64, f64)>,
    /// Requests in a second.
    pub(crate) rate: f64,
    /// Half of the requests.
    pub(crate) p50: Duration,
    /// 99 of 100.
    pub(crate) p99: Duration,
}

impl Figures {
    /// None without samples.
    pub(crate) fn of(samples: &[Sample]) -> Option<Self> {
        let cpu: Vec<f64> = samples.iter().filter_map(|sample| sample.cpu).collect();
        let seconds = |of: fn(&Sample) -> Duration| {
            let times: Vec<f64> = samples.iter().map(|sample| of(sample).as_secs_f64()).collect();
            median(&times).map(Duration::from_secs_f64)
        };
        let rates: Vec<f64> = samples.iter().map(|sample| sample.rate).collect();
        let least = cpu.iter().copied().reduce(f64::min);
        let most = cpu.iter().copied().reduce(f64::max);
        Some(Self {
            cpu: median(&cpu),
            cpu_range: least.zip(most),
            rate: median(&rates)?,
            p50: seconds(|sample| sample.p50)?,
            p99: seconds(|sample| sample.p99)?,
        })
    }
}

/// The one in the middle, or between the two that are.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get(sorted.len().checked_sub(1)? / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_between_the_two_in_the_middle() {
        let values = [4.0, 1.0, 100.0, 2.0];

        let middle = median(&values);

        assert_eq!(middle, Some(3.0));
    }

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(median(&[]), None);
    }
}
