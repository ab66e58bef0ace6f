//! One set of icons: 24 units wide, strokes of 1.5, round ends. They decorate text and never replace it.

use leptos::prelude::*;

/// The available icons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Alert,
    Check,
    Cookie,
    Cross,
    Dot,
    Drawer,
    Eye,
    Monitor,
    Info,
    Memory,
    Moon,
    Sun,
    Turn,
}

impl Shape {
    fn path(self) -> &'static str {
        match self {
            Self::Alert => "M12 4 2.8 19.6h18.4L12 4Zm0 6v4.6m0 2.4v.1",
            Self::Check => "M4.5 12.8 9.6 18 19.5 6.5",
            // A padlock: the cookie that page script cannot read.
            Self::Cookie => "M5.5 10.5h13v9h-13zm2.8 0V8a3.7 3.7 0 0 1 7.4 0v2.5M12 14v2.4",
            Self::Cross => "m6 6 12 12m0-12L6 18",
            Self::Dot => "M12 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z",
            Self::Drawer => "M4 5h16v14H4zm0 7h16M10 8.5h4M10 15.5h4",
            Self::Eye => {
                "M2.5 12S6 5.8 12 5.8 21.5 12 21.5 12 18 18.2 12 18.2 2.5 12 2.5 12Z\
                 M12 14.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6Z"
            }
            Self::Monitor => "M4 5h16v11.5H4zm8 11.5V20m-3.5 0h7",
            Self::Info => "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17Zm0-9.3v5.3m0-8.6v.1",
            Self::Memory => {
                "M7 7h10v10H7zm2.5-3.5V7m5-3.5V7m-5 10v3.5m5-3.5v3.5M3.5 9.5H7m-3.5 5H7m10-5h3.5m-3.5 5h3.5"
            }
            Self::Moon => "M20 14.3A8.3 8.3 0 0 1 9.7 4a8.3 8.3 0 1 0 10.3 10.3Z",
            Self::Sun => {
                "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm0-13.5V5m0 14v2.5M2.5 12H5m14 0h2.5\
                 M5.3 5.3 7 7m10 10 1.7 1.7M18.7 5.3 17 7M7 17l-1.7 1.7"
            }
            // An arrow that returns to its start.
            Self::Turn => "M19 12a7 7 0 1 1-2-4.9M17 3v4.5h-4.5",
        }
    }
}

/// An icon next to text; hidden from assistive technology.
#[component]
pub fn Icon(
    /// The icon.
    shape: Shape,
    /// Additional classes.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    view! {
        <svg
            class=format!("icon {class}")
            viewBox="0 0 24 24"
            width="24"
            height="24"
            aria-hidden="true"
            focusable="false"
        >
            <path d=shape.path()></path>
        </svg>
    }
}
