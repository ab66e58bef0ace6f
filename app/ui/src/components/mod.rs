//! Building blocks. They show what they are given and make no decisions.
//!
//! The parts of the frame around every page ([`nav`], [`footer`], [`banner`], [`cookie_notice`], [`theme_switch`],
//! [`heading`]) read the session context themselves; all others know only their properties.

pub mod banner;
pub mod brand;
pub mod cookie_notice;
pub mod diagram;
pub mod erase;
pub mod error_notice;
pub mod field;
pub mod footer;
pub mod form;
pub mod heading;
pub mod icon;
pub mod meter;
pub mod more_button;
pub mod nav;
pub mod not_found;
pub mod notice;
pub mod reload;
pub mod sequence;
pub mod skeleton;
pub mod strength;
pub mod theme_switch;
pub mod toast;

pub use banner::ConnectionBanner;
pub use brand::BrandMark;
pub use cookie_notice::CookieNotice;
pub use diagram::FlowDiagram;
pub use erase::{list, maybe, text};
pub use error_notice::ErrorNotice;
pub use field::{Field, PasswordField, UsernameForManagers};
pub use footer::SiteFooter;
pub use form::{FailureNotice, FailureText, SubmitButton, Technical};
pub use heading::PageHeading;
pub use icon::{Icon, Shape};
pub use meter::PasswordMeter;
pub use more_button::MoreButton;
pub use nav::SiteHeader;
pub use not_found::NotFoundPage;
pub use notice::{Notice, Tone};
pub use reload::ReloadButton;
pub use skeleton::{FormSkeleton, Placeholder, or_skeleton};
pub use strength::{Estimate, StrengthNote};
pub use theme_switch::ThemeSwitch;
pub use toast::{Toaster, Toasts, use_toasts};
