// How the tests use the panel that trains.
import type { Page } from "playwright-core";
import { expect } from "vitest";

/** What stands beneath the picture: "steps", "test loss" and so on. */
export async function standing(page: Page, name: string): Promise<string> {
  return page
    .locator(".standing div", { has: page.locator(`dt:text-is("${name}")`) })
    .locator("dd")
    .innerText();
}

const number = (text: string) => Number(text.replaceAll("−", "-").replace(/[,%\s]/g, ""));
export const value = async (page: Page, name: string) => number(await standing(page, name));

/** Waits until there is a network. */
export async function ready(page: Page): Promise<void> {
  await expect.poll(() => standing(page, "train loss")).not.toBe("–");
}

export async function steps(page: Page, count: number): Promise<void> {
  const before = await value(page, "steps");
  for (let i = 1; i <= count; i++) {
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await expect.poll(() => value(page, "steps")).toBe(before + i);
  }
}

export const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });
export const layers = (page: Page) => page.locator(".network li:has(> .layer)");
