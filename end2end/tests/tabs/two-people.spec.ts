import type { Page, Response } from "@playwright/test";
import { newPerson, type Tokens, type User } from "../../fixtures/api";
import { lacking } from "../../fixtures/lacking";
import { watchWords, wordsSeen } from "../../fixtures/words";
import { expect, test } from "../../fixtures/test";
import { AccountPage } from "../../pages/account.page";
import { LoginPage } from "../../pages/login.page";

const LOGIN = "/api/auth/login";

/** Fills in everything; only the click is missing. */
async function ready(page: Page, user: User): Promise<LoginPage> {
  const login = new LoginPage(page);
  await login.open();
  await expect(login.submit).toBeEnabled();
  await login.email.fill(user.email);
  await login.password.fill(user.password);
  return login;
}

async function tokenOf(response: Response): Promise<string> {
  expect(response.status()).toBe(200);
  return ((await response.json()) as Tokens).access_token;
}

for (const taking of ["turns", "no turns"] as const) {
  test(`when two people sign in at once in two tabs that take ${taking}, both tabs show the one whose cookie is kept`, async ({
    api,
    browserApi,
    user: ada,
    context,
    page,
    server,
    consoleGuard,
  }) => {
    consoleGuard.allow(/status of 401 /);
    if (taking === "no turns") await lacking(context, "locks");
    const bob = newPerson();
    await api.register(bob);
    await watchWords(context, [ada.email, bob.email]);
    const pages = [page, await context.newPage()] as const;
    const logins = [await ready(pages[0], ada), await ready(pages[1], bob)] as const;

    let bothClicked = () => {};
    if (taking === "turns") {
      // No response before both clicks: a tab that learns of the other's sign-in first would leave its form.
      const clicked = new Promise<void>((resolve) => (bothClicked = resolve));
      await context.route(`**${LOGIN}`, async (route) => {
        await clicked;
        await route.continue();
      });
    } else {
      // Neither request is sent before both are intercepted.
      let open = () => {};
      const both = new Promise<void>((resolve) => (open = resolve));
      let asked = 0;
      await context.route(`**${LOGIN}`, async (route) => {
        if (++asked === 2) open();
        await both;
        await route.continue();
      });
    }
    const tokens = Promise.all(pages.map((page) => page.waitForResponse((response) => response.url().endsWith(LOGIN)).then(tokenOf)));
    await Promise.all(logins.map((login) => login.submit.click()));
    bothClicked();
    const [adas = "", bobs = ""] = await tokens;

    // The server decides whose cookie it is.
    const answer = await browserApi.post("/api/auth/refresh");
    expect(answer.status(), await answer.text()).toBe(200);
    const { access_token: kept } = (await answer.json()) as Tokens;
    const me = await context.request.get(`${server.origin}/api/me`, { headers: { authorization: `Bearer ${kept}` } });
    const { email } = (await me.json()) as { email: string };
    const [winner, loser, lost] = email === ada.email ? [ada, bob, bobs] : [bob, ada, adas];

    for (const page of pages) {
      const account = new AccountPage(page);
      await account.expectFor(winner);
      await expect(page.locator("body")).not.toContainText(loser.email);
      for (const seen of await wordsSeen(page)) expect(seen).not.toHaveLength(2);
    }
    // The session has ended on the server. If both requests were sent at the same time, neither carried the other's
    // cookie, and the server saw two browsers.
    if (taking === "turns") expect((await api.session(lost)).status()).toBe(401);
    for (const page of pages) {
      await page.reload();
      await new AccountPage(page).expectFor(winner);
    }
  });
}
