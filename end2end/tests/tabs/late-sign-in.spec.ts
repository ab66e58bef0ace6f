import { newPerson } from "../../fixtures/api";
import { expect, test } from "../../fixtures/lossy";
import type { Fate } from "../../fixtures/proxy";
import { refreshCookie } from "../../fixtures/storage-scan";
import { AccountPage } from "../../pages/account.page";
import { LoginPage } from "../../pages/login.page";

test("a sign-in whose answer ends after another tab's whole sign-in does not bring its person back", async ({
  api,
  user: ada,
  lossy,
  page,
  context,
  consoleGuard,
}) => {
  consoleGuard.allow(/status of 401 /);
  const bob = newPerson();
  await api.register(bob);
  const adas = new LoginPage(page);
  const bobs = new LoginPage(await context.newPage());
  for (const login of [adas, bobs]) {
    await login.open();
    await expect(login.submit).toBeEnabled();
  }

  // Bob's cookie arrives, and then his connection stalls.
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  lossy.intercept("/api/auth/login", async ({ begin }): Promise<Fate> => {
    lossy.mend("/api/auth/login");
    begin();
    await released;
    return "delivered";
  });
  await bobs.signIn(bob);
  await expect.poll(() => refreshCookie(context)).toBeDefined();
  const bobsCookie = await refreshCookie(context);

  // Ada waits for the lock until it times out, and continues without it. Her sign-in ends the session that the jar
  // names.
  await adas.signIn(ada);
  await new AccountPage(page).expectFor(ada);
  expect((await refreshCookie(context))?.value).not.toBe(bobsCookie?.value);
  release();
  await new AccountPage(bobs.page).expectFor(ada);
  await expect(bobs.page.locator("body")).not.toContainText(bob.email);
  await new AccountPage(page).expectFor(ada);
});
