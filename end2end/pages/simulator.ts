import { expect, type Locator, type Page } from "@playwright/test";

/** The rotation simulator of the lab: an owner, an attacker, a design. */
export class Simulator {
  constructor(readonly page: Page) {}

  get region(): Locator {
    return this.page.getByRole("region", { name: "The rotation theatre" });
  }
  /** The state, in a sentence. */
  get outcome(): Locator {
    return this.region.getByRole("status");
  }
  get designs(): Locator {
    return this.region.getByRole("table", { name: /^What goes wrong/ });
  }
  get picture(): Locator {
    return this.region.getByRole("img", { name: /as a tree/ });
  }
  get lookBack(): Locator {
    return this.region.getByRole("slider", { name: "Look back" });
  }
  /** The responses to the steps, line by line. */
  get steps(): Locator {
    return this.region.getByRole("table", { name: /^The steps/ }).locator("tbody tr");
  }

  async press(name: string): Promise<void> {
    await this.region.getByRole("button", { name, exact: true }).click();
  }
  /** Selects a design, by its name. */
  async choose(design: string): Promise<void> {
    await this.press(design);
    await expect(this.region.getByRole("button", { name: design, exact: true })).toHaveAttribute("aria-pressed", "true");
  }
  /** The failures of a design. */
  flaw(design: string): Locator {
    return this.designs.getByRole("row", { name: design }).getByRole("cell");
  }
}
