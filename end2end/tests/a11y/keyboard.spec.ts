import type { Page } from "@playwright/test";
import { newPerson } from "../../fixtures/api";
import { expect, test } from "../../fixtures/test";

/** Presses the tab key until this element is focused, as a person would who sees the focus. */
async function tabTo(page: Page, role: string, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])].map(({ textContent }) => textContent) : [];
      return {
        role: element?.tagName.toLowerCase() ?? "",
        name: (element?.getAttribute("aria-label") ?? labels[0] ?? element?.textContent ?? "").trim(),
        outline: element ? getComputedStyle(element).outlineStyle : "none",
      };
    });
    expect(focused.outline, `the focus can be seen on ${focused.name}`).not.toBe("none");
    if (focused.role === role && focused.name === name) return;
  }
  throw new Error(`no ${role} “${name}” within forty presses`);
}

test("from a new account to the end of the session by the keyboard alone", async ({ register, account, inspector, page }) => {
  const person = newPerson();
  await register.open();
  await expect(register.submit).toBeEnabled();
  await tabTo(page, "input", "Email");
  await page.keyboard.type(person.email);
  await tabTo(page, "input", "Password");
  await page.keyboard.type(person.password);
  await page.keyboard.press("Enter");
  await account.expectFor(person);

  await tabTo(page, "a", "Inspector");
  await page.keyboard.press("Enter");
  await inspector.expectHere();
  await expect(inspector.turns).toHaveCount(1);
  await tabTo(page, "button", "Renew the token");
  await page.keyboard.press("Space");
  await expect(inspector.turns).toHaveCount(2);

  await page.keyboard.press("Home");
  await page.reload();
  await inspector.expectSession("signed-in");
  await expect(inspector.signOutButton).toBeEnabled();
  await tabTo(page, "button", "Sign out");
  await page.keyboard.press("Enter");
  await inspector.expectSession("anonymous");
});

test("what is pressed with a finger is large enough for one", async ({ browserApi, account, sessions, security, inspector, login, user, page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const small = () =>
    page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("button, input:not([type=checkbox]), summary, nav a")]
        .map((element) => ({ element, box: element.getBoundingClientRect() }))
        // Hidden elements have no size.
        .filter(({ box }) => box.width > 0 && (box.height < 43.5 || box.width < 43.5))
        .map(({ element, box }) => `${element.outerHTML.slice(0, 80)}: ${Math.round(box.width)} × ${Math.round(box.height)}`),
    );
  await login.open();
  await expect(login.submit).toBeEnabled();
  expect(await small()).toEqual([]);
  await browserApi.signIn(user);
  for (const one of [account, sessions, security, inspector]) {
    await one.open();
    await one.expectSession("signed-in");
    await expect(one.signOutButton).toBeEnabled();
    expect(await small(), one.path).toEqual([]);
  }
});
