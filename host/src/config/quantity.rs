//! Numbers with units as they are written in the file: `64MiB`, `1m30s`, `"0660"`.

use std::time::Duration;

use thiserror::Error;

/// Why a text is not the quantity that it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum QuantityError {
    /// Not a size.
    #[error("`{0}` is not a size: write 64MiB, 500kB or a number of bytes")]
    Size(String),
    /// Not a time.
    #[error("`{0}` is not a time: write 30s, 500ms or 1m30s")]
    Time(String),
    /// Not a whole number.
    #[error("`{0}` is not a whole number")]
    Whole(String),
    /// Not a file mode.
    #[error("`{0}` is not the mode of a file: write \"0660\"")]
    Mode(String),
    /// Nothing at all.
    #[error("it must be more than 0")]
    Zero,
    /// Beyond what makes sense.
    #[error("it must not be more than {0}")]
    TooMuch(String),
}

/// Bytes: `4MiB`, `4 MiB`, `4MB`, `4194304`.
pub(super) fn size(text: &str) -> Result<u64, QuantityError> {
    let error = || QuantityError::Size(text.to_owned());
    let (number, unit) = split_number(text);
    let factor = match unit.trim_start() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(error()),
    };
    let number: u64 = number.parse().map_err(|_| error())?;
    number.checked_mul(factor).ok_or_else(error)
}

/// A time: `500ms`, `30s`, `5m`, `1m30s`. A bare number is refused, since its unit is a guess.
pub(super) fn time(text: &str) -> Result<Duration, QuantityError> {
    let error = || QuantityError::Time(text.to_owned());
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (number, after) = split_number(rest);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let number: u64 = number.parse().map_err(|_| error())?;
        let millis = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(error()),
        };
        let part = number.checked_mul(millis).map(Duration::from_millis).ok_or_else(error)?;
        total = total.checked_add(part).ok_or_else(error)?;
        rest = after;
    }
    if text.trim().is_empty() { Err(error()) } else { Ok(total) }
}

/// A whole number in digits.
pub(super) fn whole(text: &str) -> Result<u64, QuantityError> {
    let error = || QuantityError::Whole(text.to_owned());
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain).ok_or_else(error)
}

/// The mode of a file. Modes are octal however they are written: `"0660"`, `0660`, `0o660`.
pub(super) fn mode(text: &str) -> Result<u32, QuantityError> {
    let error = || QuantityError::Mode(text.to_owned());
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let plain = (3..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let mode = u32::from_str_radix(digits, 8).ok().filter(|mode| plain && *mode <= 0o777);
    mode.ok_or_else(error)
}

/// Refuses nothing and too much.
pub(super) fn within<T: PartialOrd + Default>(
    value: T,
    most: &T,
    show: impl Fn(&T) -> String,
) -> Result<T, QuantityError> {
    if value == T::default() {
        return Err(QuantityError::Zero);
    }
    if value > *most { Err(QuantityError::TooMuch(show(most))) } else { Ok(value) }
}

fn split_number(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! quantities {
        ($($name:ident: $read:ident($text:expr) => $expected:expr;)*) => {$(
            #[test]
            fn $name() {
                let text = $text;

                let value = $read(text).ok();

                assert_eq!(value, $expected);
            }
        )*};
    }

    quantities! {
        mebibytes_are_powers_of_two: size("64MiB") => Some(64 << 20);
        megabytes_are_powers_of_ten: size("1MB") => Some(1_000_000);
        a_space_before_the_unit_is_fine: size("4 KiB") => Some(4096);
        a_bare_number_is_bytes: size("1500") => Some(1500);
        a_lone_m_is_ambiguous: size("64M") => None;
        a_fraction_of_a_size_is_refused: size("1.5MiB") => None;
        a_size_needs_a_number: size("MiB") => None;
        a_size_is_not_negative: size("-1") => None;
        a_size_that_overflows_is_refused: size("99999999999GiB") => None;
        seconds_are_read: time("30s") => Some(Duration::from_secs(30));
        milliseconds_are_read: time("500ms") => Some(Duration::from_millis(500));
        parts_add_up: time("1m30s") => Some(Duration::from_secs(90));
        a_bare_number_is_no_time: time("30") => None;
        a_time_needs_something: time("") => None;
        a_unit_alone_is_no_time: time("s") => None;
        a_time_that_overflows_is_refused: time("18446744073709551615h") => None;
        underscores_are_no_digits: whole("1_000") => None;
        a_sign_is_no_digit: whole("+1") => None;
        a_mode_is_octal: mode("0660") => Some(0o660);
        a_mode_needs_no_zero: mode("660") => Some(0o660);
        a_mode_may_say_that_it_is_octal: mode("0o660") => Some(0o660);
        a_mode_has_no_nine: mode("0690") => None;
        a_mode_has_three_digits_at_least: mode("7") => None;
        a_mode_gives_no_set_uid_bit: mode("4755") => None;
    }
}
