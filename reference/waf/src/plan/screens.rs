//! The screens of a rule set, and what is remembered of them for a text.

use crate::operator::Screen;

/// A screen's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScreenNumber(u8);

/// The screens.
#[derive(Default)]
pub(crate) struct Screens(Vec<Screen>);

impl Screens {
    /// Adds one, while there is room for what is remembered of it.
    pub(crate) fn add(&mut self, screen: Screen) -> Option<ScreenNumber> {
        let number = u8::try_from(self.0.len()).ok().filter(|number| *number < u32::BITS as u8)?;
        self.0.push(screen);
        Some(ScreenNumber(number))
    }

    fn of(&self, number: ScreenNumber) -> &Screen {
        &self.0[usize::from(number.0)]
    }
}

impl std::fmt::Debug for Screens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} screens", self.0.len())
    }
}

/// What screens said of a text so far: a bit for each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Screened {
    asked: u32,
    may_match: u32,
}

impl Screened {
    /// What the screen says of the text, which it is asked once.
    pub(crate) fn may_match(
        &mut self,
        screens: &Screens,
        number: ScreenNumber,
        text: &[u8],
    ) -> bool {
        let bit = 1 << number.0;
        if self.asked & bit == 0 {
            self.asked |= bit;
            if screens.of(number).may_match(text) {
                self.may_match |= bit;
            }
        }
        self.may_match & bit != 0
    }
}
