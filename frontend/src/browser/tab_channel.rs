//! Messages between tabs: `BroadcastChannel`.

use session_client::{TabChannel, TabMessage};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

/// The name of the channel, which all pages of our origin share.
const CHANNEL_NAME: &str = "keyturn.session";

/// The channel; `None` if the browser does not support it.
#[derive(Debug)]
pub(crate) struct TabBroadcast(Option<BroadcastChannel>);

impl TabBroadcast {
    pub(crate) fn new() -> Self {
        Self(BroadcastChannel::new(CHANNEL_NAME).ok())
    }
}

impl TabChannel for TabBroadcast {
    fn broadcast(&self, message: &TabMessage) {
        if let Some(channel) = &self.0 {
            let _ = channel.post_message(&message.to_text().into());
        }
    }

    fn listen(&self, on_message: Box<dyn Fn(TabMessage)>) {
        let Some(channel) = &self.0 else { return };
        let callback = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(message) = event
                .data()
                .as_string()
                .as_deref()
                .and_then(TabMessage::from_text)
            {
                on_message(message);
            }
        });
        channel.set_onmessage(Some(callback.as_ref().unchecked_ref()));
        // It lives as long as the page, like the manager.
        callback.forget();
    }

    fn is_open(&self) -> bool {
        self.0.is_some()
    }
}
