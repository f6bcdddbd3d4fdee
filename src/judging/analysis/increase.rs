//! By how much a counter grew: its values in the order of time in, one figure out. It must not know whose counter it is.

/// The growth of one time series. A value below the one before it means that its server was started again and counted from 0; what it
/// counted between the last reading and its end is lost, as it is in every tool. NaN is passed over.
pub fn increase(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values = values.into_iter().filter(|value| !value.is_nan());
    let Some(mut last) = values.next() else { return 0.0 };
    let mut grown = 0.0;
    for value in values {
        grown += if value < last { value } else { value - last };
        last = value;
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_was_there_before_counts_from_its_first_value() {
        assert_eq!(increase([100.0, 100.0, 130.0, 150.0]).to_bits(), 50.0_f64.to_bits());
        assert_eq!(increase([7.0]).to_bits(), 0.0_f64.to_bits());
        assert_eq!(increase([]).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn a_drop_is_a_start_from_zero() {
        // 40 before the restart, 5 since it when it is first seen, 15 more, and the same once again.
        assert_eq!(increase([10.0, 50.0, 5.0, 20.0, 0.0, 3.0]).to_bits(), 63.0_f64.to_bits());
    }

    #[test]
    fn what_is_no_number_is_passed_over() {
        assert_eq!(increase([f64::NAN, 1.0, f64::NAN, 4.0]).to_bits(), 3.0_f64.to_bits());
    }
}
