import type { Page } from "@playwright/test";
import { inBody, meddle, rewrite } from "../../fixtures/html";
import { expect, test } from "../../fixtures/test";

/** What browser extensions and proxies do to the HTML before the app hydrates it. */
const CHANGES: { name: string; apply: (page: Page) => Promise<void>; hydrates?: boolean }[] = [
  {
    name: "an element before the form",
    apply: (page) => meddle(page, () => document.querySelector("form")?.before(document.createElement("div"))),
  },
  {
    name: "icons of a password manager inside the form",
    apply: (page) =>
      meddle(page, () => {
        for (const input of document.querySelectorAll("input")) {
          const icon = document.createElement("span");
          icon.textContent = "🔑";
          input.after(icon);
        }
      }),
  },
  {
    name: "an element after the form",
    apply: (page) => meddle(page, () => document.querySelector("form")?.after(document.createElement("form"))),
  },
  {
    name: "a bar at the top of the page",
    apply: (page) => meddle(page, () => document.body.prepend(document.createElement("div"))),
  },
  {
    name: "an element at the very end of the page",
    apply: (page) => meddle(page, () => document.body.append(document.createElement("div"))),
    hydrates: true,
  },
  {
    name: "<font> around each text",
    apply: (page) =>
      meddle(page, () => {
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const texts: Text[] = [];
        while (walker.nextNode()) texts.push(walker.currentNode as Text);
        for (const text of texts) {
          if (text.parentElement?.matches("script, noscript")) continue;
          const [outer, inner] = [document.createElement("font"), document.createElement("font")];
          outer.append(inner);
          text.replaceWith(outer);
          inner.append(text);
        }
      }),
  },
  {
    name: "a translator at work, before and after the program starts",
    apply: (page) =>
      meddle(page, () => {
        document.documentElement.lang = "de";
        document.documentElement.classList.add("translated-ltr");
        const translate = () => {
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const texts: Text[] = [];
          while (walker.nextNode()) texts.push(walker.currentNode as Text);
          for (const text of texts) {
            if (!text.data.trim() || text.parentElement?.matches("script, noscript, font")) continue;
            // Like Google Translate: the old text is removed, and a new one arrives in two elements.
            const [outer, inner] = [document.createElement("font"), document.createElement("font")];
            inner.append(text.data);
            outer.append(inner);
            text.replaceWith(outer);
          }
        };
        translate();
        new MutationObserver(translate).observe(document.body, { childList: true, subtree: true, characterData: true });
      }),
  },
  { name: "comments stripped", apply: (page) => rewrite(page, inBody((body) => body.replace(/<!(--[\s\S]*?--)?>/g, ""))) },
  {
    name: "whitespace between elements",
    apply: (page) => rewrite(page, inBody((body) => body.replaceAll("><", ">\n<"))),
  },
  {
    name: "attributes and styles of a dark-mode extension",
    apply: (page) =>
      meddle(page, () => {
        document.documentElement.setAttribute("data-darkreader-mode", "dynamic");
        const style = document.createElement("style");
        style.className = "darkreader";
        document.head.append(style);
        for (const element of document.body.querySelectorAll("*")) element.setAttribute("data-darkreader-inline-bgcolor", "");
      }),
    hydrates: true,
  },
];

async function isReady(page: Page): Promise<void> {
  await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeEnabled();
}

for (const { name, apply } of CHANGES) {
  test(`with ${name} a person can sign in`, async ({ login, account, page, user, consoleGuard }) => {
    // A page that forbids inline styles complains about an extension's.
    consoleGuard.allow(/style-src|inline style/);
    await apply(page);
    await login.open();
    await isReady(page);
    await expect(page.locator("main form:has(input[name=password])")).toHaveCount(1);
    await login.signIn(user);
    await account.expectSession("signed-in");
    await account.expectHere();
    await expect(page.getByText(user.email).first()).toBeVisible();
  });
}

for (const { name, apply, hydrates } of CHANGES) {
  test(`with ${name} what was typed before the program started is kept`, async ({ login, page, user, consoleGuard }) => {
    consoleGuard.allow(/style-src|inline style/);
    let start = () => {};
    const started = new Promise<void>((resolve) => (start = resolve));
    await page.route("**/pkg/*.wasm", async (route) => {
      await started;
      await route.continue();
    });
    await apply(page);
    await page.goto(login.path, { waitUntil: "commit" });
    await login.email.fill(user.email);
    await login.password.fill("half a passw");
    await login.keepSignedIn.uncheck();
    await login.email.focus();
    const before = await login.email.elementHandle();
    start();
    await isReady(page);
    await expect(login.email).toHaveValue(user.email);
    await expect(login.password).toHaveValue("half a passw");
    await expect(login.keepSignedIn).not.toBeChecked();
    await expect(login.email).toBeFocused();
    // If nothing relevant has changed, the person continues typing in the same field.
    expect(await before?.evaluate((input) => input.isConnected)).toBe(Boolean(hydrates));
  });
}

test("an untouched page is taken over and not rendered again", async ({ home, login, register, inspector, account, browserApi, user, page }) => {
  await page.addInitScript(() => {
    window.addEventListener("keyturn:ready", () => ((window as unknown as { isReady: boolean }).isReady = true));
  });
  const paths = [home.path, login.path, register.path];
  const isTheServers = async (path: string) => {
    let start = () => {};
    const started = new Promise<void>((resolve) => (start = resolve));
    await page.route("**/pkg/*.wasm", async (route) => {
      await started;
      await route.fallback();
    });
    await page.goto(path, { waitUntil: "commit" });
    const heading = await page.locator("h1").first().elementHandle();
    start();
    await page.waitForFunction(() => (window as unknown as { isReady?: boolean }).isReady);
    expect(await heading?.evaluate((h1) => h1.isConnected), path).toBe(true);
  };
  for (const path of paths) await isTheServers(path);
  await browserApi.signIn(user);
  for (const path of [account.path, inspector.path]) await isTheServers(path);
});
