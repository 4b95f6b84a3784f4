//! Charts as SVG: where each bar is. The template draws them.

use serde::Serialize;

/// The place of a chart, in the units of its own.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 180;
/// What the labels at the foot take.
const FOOT: i64 = 20;
/// The most labels at the foot.
const LABELS: usize = 6;
/// What a label takes.
const LABEL_WIDTH: i64 = 80;
/// A few bars do not fill the chart.
const BAR_WIDTH_MAX: i64 = 120;

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Chart {
    width: i64,
    height: i64,
    /// From the top to the line below the bars.
    floor: i64,
    bars: Vec<Bar>,
    /// The largest value, as text.
    top: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Bar {
    x: i64,
    y: i64,
    width: i64,
    height: i64,
    label: String,
    value: String,
    /// Whether the label is written under the bar.
    is_labelled: bool,
}

impl Chart {
    /// One bar for each label and value, from left to right; `None` without a value above zero.
    pub(super) fn of(values: &[(String, i64)], written: &dyn Fn(i64) -> String) -> Option<Self> {
        let top = values.iter().map(|(_, value)| *value).max().filter(|top| *top > 0)?;
        let count = i64::try_from(values.len()).ok()?;
        let every = values.len().div_ceil(LABELS);
        let slot = (WIDTH / count).clamp(1, BAR_WIDTH_MAX);
        let floor = HEIGHT - FOOT;
        let bar = |(place, (label, value)): (usize, &(String, i64))| {
            let x = i64::try_from(place).unwrap_or_default() * slot;
            let height = scaled(*value, top, floor - FOOT);
            let gap = if slot > 3 { 2 } else { 0 };
            Bar {
                x,
                y: floor - height,
                width: slot - gap,
                height,
                label: label.clone(),
                value: written(*value),
                is_labelled: place.is_multiple_of(every) && x <= WIDTH - LABEL_WIDTH,
            }
        };
        let bars = values.iter().enumerate().map(bar).collect();
        Some(Self { width: WIDTH, height: HEIGHT, floor, bars, top: written(top) })
    }
}

/// The height of a value where `top` is `height` high; a value above zero can be seen.
fn scaled(value: i64, top: i64, height: i64) -> i64 {
    let scaled = i128::from(value.max(0)) * i128::from(height) / i128::from(top);
    i64::try_from(scaled).unwrap_or(height).max(i64::from(value > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[i64]) -> Option<Chart> {
        let pairs: Vec<_> = values.iter().map(|value| (format!("v{value}"), *value)).collect();
        Chart::of(&pairs, &|value| value.to_string())
    }

    #[test]
    fn bars_stand_beside_each_other_and_the_largest_is_the_highest() {
        let chart = chart(&[1, 0, 100, i64::MAX]).unwrap();
        let places: Vec<_> = chart.bars.iter().map(|bar| (bar.x, bar.width, bar.height)).collect();
        assert_eq!(places, [(0, 118, 1), (120, 118, 0), (240, 118, 1), (360, 118, 140)]);
        assert!(chart.bars.iter().all(|bar| bar.y + bar.height == chart.floor));
        assert_eq!(chart.top, i64::MAX.to_string());
    }

    #[test]
    fn without_values_there_is_no_chart() {
        assert_eq!(chart(&[]), None);
        assert_eq!(chart(&[0, 0]), None);
    }

    #[test]
    fn many_bars_have_few_labels() {
        let chart = chart(&(0..90).collect::<Vec<_>>()).unwrap();
        assert_eq!(chart.bars.iter().filter(|bar| bar.is_labelled).count(), 6);
    }
}
