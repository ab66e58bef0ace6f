#![doc = include_str!("../README.md")]

mod browser;

use std::{cell::Cell, rc::Rc, time::Duration};

use app::{App, Platform, SessionCtx, lab_port::provide_lab_port, platform::ProgramEvent};
use leptos::{
    mount::{hydrate_from_async, mount_to},
    prelude::*,
};
use session_client::{SessionManager, Timer as _};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use browser::{BrowserLab, BrowserPlatform, BrowserTimer, document};

/// Delay before a part of the application that failed to load is requested again.
const PART_RETRY_DELAY: Duration = Duration::from_secs(2);

/// Padding for the tool that splits the WASM. That tool sorts the constants by the parts that need them, and aligns the
/// constants of each part again. If this takes one byte more than the linker's order, the tool silently leaves the
/// constants of *all* parts in the first one. These bytes are the reserve. Nothing refers to them, so they end up in no
/// part and in no file.
#[used]
static ALIGNMENT_PADDING: [u8; 4096] = [b'.'; 4096];

/// Hydrates the server's HTML. The page's script calls this once, when the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        document::report(ProgramEvent::Failed);
    }));

    let platform = Rc::new(BrowserPlatform::new());
    let (session, driver) = SessionManager::new(browser::ports(), platform.session_hint().initial_view());
    spawn_local(driver);
    spawn_local(restore(session.clone()));
    spawn_local(hydrate_page(session, platform));
}

/// Hydrates the page as soon as its part of the application has loaded, with as many retries as needed. The first
/// rendering must equal the server's HTML, so the page follows the session only afterwards.
///
/// If something changed the HTML on the way, hydration would panic or attach to the wrong elements. Then the
/// application replaces the HTML and renders the page itself.
async fn hydrate_page(session: SessionManager, platform: Rc<BrowserPlatform>) {
    while !app::fetch_part_of(&platform.path()).await {
        BrowserTimer.sleep(PART_RETRY_DELAY).await;
    }
    let context = Rc::new(Cell::new(None));
    let context_slot = Rc::clone(&context);
    let page = move || {
        provide_context(platform.lab_is_open());
        provide_context(platform.min_password());
        provide_lab_port(Rc::new(BrowserLab));
        context_slot.set(Some(SessionCtx::provide(session, platform)));
        view! { <App /> }
    };
    if document::is_as_served() {
        hydrate_from_async(leptos::tachys::dom::body(), page)
            .await
            .forget();
    } else {
        mount_to(document::clear(), page).forget();
    }
    if let Some(context) = context.get() {
        context.start_following();
    }
    document::report(ProgramEvent::Ready);
}

/// Starts the silent refresh. It may complete before hydration; `hydrate_page` ensures that the page follows the session
/// only afterwards. If the server saw no cookie, the view is already anonymous and the manager sends nothing: most
/// visitors have no session, and each would cost a request that can only fail.
async fn restore(session: SessionManager) {
    session.restore().await;
}
