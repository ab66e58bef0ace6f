import { expect, test } from "../../fixtures/test";

test("a closed lab is not found, and no page links to it", async ({ page, home, consoleGuard }) => {
  consoleGuard.expectStatus(404, "/lab");
  const answer = await page.goto("/lab");
  expect(answer?.status()).toBe(404);
  await home.open();
  await expect(page.getByRole("link", { name: "Lab", exact: true })).toHaveCount(0);
});
