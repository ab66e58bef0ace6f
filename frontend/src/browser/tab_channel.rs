//! Messages between tabs: `BroadcastChannel`.

use session_client::{News, TabChannel};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

/// The name of the channel, which all pages of our origin share.
const NAME: &str = "keyturn.session";

/// The channel; `None` if the browser does not support it.
#[derive(Debug)]
pub(crate) struct Broadcast(Option<BroadcastChannel>);

impl Broadcast {
    pub(crate) fn new() -> Self {
        Self(BroadcastChannel::new(NAME).ok())
    }
}

impl TabChannel for Broadcast {
    fn tell(&self, news: &News) {
        if let Some(channel) = &self.0 {
            let _ = channel.post_message(&news.to_text().into());
        }
    }

    fn listen(&self, hear: Box<dyn Fn(News)>) {
        let Some(channel) = &self.0 else { return };
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(news) = event.data().as_string().as_deref().and_then(News::from_text) {
                hear(news);
            }
        });
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        // It lives as long as the page, like the manager.
        heard.forget();
    }

    fn is_open(&self) -> bool {
        self.0.is_some()
    }
}
