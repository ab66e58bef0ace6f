import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../../fixtures/test";
import { Simulator } from "../../pages/simulator";

test.use({ labIsOpen: true });

async function expectNothingFound(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html) }))).toEqual([]);
}

test("a thief who comes first stays in under SimpleJWT, and is found out under Keyturn", async ({ lab, page }) => {
  await lab.open();
  const simulator = new Simulator(page);
  await expect(simulator.outcome).toHaveText("Only the owner is signed in.");
  await simulator.choose("SimpleJWT");
  for (const action of ["Steal now", "Thief refreshes", "+1 h"]) await simulator.press(action);
  await expect(simulator.outcome).toHaveText("The thief is in, and the owner is signed out.");
  await simulator.region.getByRole("group", { name: "Tab 1" }).getByRole("button", { name: "Refresh", exact: true }).click();
  await expect(simulator.outcome).toHaveText(/^Parasite: .* The thief is in, and the owner is signed out\.$/);
  await expect(simulator.steps.last()).toContainText("refreshes with token 1");
  await expect(simulator.steps.last()).toContainText("Refused: signed out");
  await expect(simulator.flaw("SimpleJWT")).toHaveText("Parasite");
  await expect(simulator.flaw("Keyturn")).toHaveText("Nothing");

  // The same steps under another design.
  await simulator.choose("Keyturn");
  await expect(simulator.outcome).toHaveText(/^The theft was noticed/);
  await expect(simulator.steps.last()).toContainText("Reuse: the session ends for everybody");
  await expect(page).toHaveURL(/\/lab\?steps=s\.t\.w3600\.r1$/);
});

test("a link shows the same play again, and one may look back in it", async ({ lab, page }) => {
  await page.goto("/lab?design=SimpleJWT&steps=s.w5.t.w3600.r1.w5.t");
  const simulator = new Simulator(page);
  await expect(simulator.outcome).toHaveText(/^Parasite: /);
  await expect(simulator.steps).toHaveCount(8);
  await expect(simulator.picture).toContainText("good for the thief");
  await expect(simulator.lookBack).toBeEnabled();
  await simulator.lookBack.focus();
  await page.keyboard.press("Home");
  await expect(simulator.outcome).toHaveText("Only the owner is signed in.");
  await page.keyboard.press("End");
  await expect(simulator.outcome).toHaveText(/^Parasite: /);
  await simulator.press("Back one step");
  await expect(simulator.steps).toHaveCount(7);
  await expect(page).toHaveURL(/steps=s\.w5\.t\.w3600\.r1\.w5$/);
  await simulator.press("Begin again");
  await expect(simulator.steps).toHaveCount(1);
  await lab.expectHere();
});

test("the prepared histories come to what the model checker finds", async ({ lab, page }) => {
  await lab.open();
  const simulator = new Simulator(page);
  const expected: Record<string, Record<string, string>> = {
    "A theft": { Keyturn: "Nothing", SimpleJWT: "Nothing", Supabase: "Parasite" },
    "The thief comes first": { Keyturn: "Nothing", Strict: "Nothing", SimpleJWT: "Parasite" },
    "A lost answer": { Keyturn: "Nothing", Strict: "Orphan", SimpleJWT: "Orphan", Auth0: "Orphan" },
    "Three tabs at once": { Keyturn: "Nothing", Strict: "Orphan", Auth0: "Fork" },
  };
  for (const [history, designs] of Object.entries(expected)) {
    await simulator.press(history);
    for (const [design, flaw] of Object.entries(designs)) await expect(simulator.flaw(design), history).toHaveText(flaw);
  }
});

test("lifetimes say what they come to, and complain as the server would", async ({ lab, page }) => {
  await lab.open();
  const region = page.getByRole("region", { name: "How long should they live?" });
  const access = region.getByRole("slider", { name: "Access token, from issue" });
  const idle = region.getByRole("slider", { name: "Refresh token, unused" });
  await expect(access).toHaveAttribute("aria-valuetext", "15 minutes");
  await expect(region).toContainText("103 times a day");
  await access.focus();
  await page.keyboard.press("Home");
  await expect(access).toHaveAttribute("aria-valuetext", "1 minute");
  await expect(region).toContainText("1600 times a day");
  await expect(region.locator("tr[aria-current]")).toContainText("1 min (chosen)");
  await page.keyboard.press("End");
  await idle.focus();
  await page.keyboard.press("Home");
  await expect(region.getByRole("alert")).toContainText("access_ttl must be shorter than refresh_idle_ttl");
  await expectNothingFound(page);
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("axe finds nothing on the simulator, whatever happened", async ({ page }) => {
      // The lab is a long page, and axe checks all of it several times.
      test.setTimeout(300_000);
      for (const query of ["", "?design=Auth0&steps=s.r1.r2.r3", "?steps=s.t.w3600.r1", "?design=SuperTokens&steps=r1.r2"]) {
        await page.goto(`/lab${query}`);
        await expect(new Simulator(page).lookBack).toBeEnabled();
        await expectNothingFound(page);
      }
    });
  });
}

test("the lab fits a screen that is 320 pixels wide", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto("/lab?design=Auth0&steps=s.r1.r2.r3");
  await expect(new Simulator(page).lookBack).toBeEnabled();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
});
