import { imageRules } from './dockerfile-image.ts';
import { inputRules } from './dockerfile-inputs.ts';
import { layerRules } from './dockerfile-layers.ts';
import { startRules } from './dockerfile-start.ts';
import { systemRules } from './dockerfile-systems.ts';
import { dockerignoreRules } from './dockerignore-rules.ts';
import { envShRules } from './env-sh-rules.ts';
import { flyDataRules } from './fly-data.ts';
import { flyMachineRules } from './fly-machine.ts';
import { flyRules } from './fly-rules.ts';
import { healthRules } from './health-rules.ts';
import { readOnlyRules } from './read-only.ts';
import type { Rule } from './rule.ts';
import { appRules } from './runtime-app.ts';
import { bootRules } from './runtime-boot.ts';
import { endpointRules } from './runtime-endpoint.ts';
import { originRules } from './runtime-origins.ts';
import { repoRules } from './runtime-repos.ts';

/** Every rule. Those of one requirement are shown in this order. */
export const rules: readonly Rule[] = [
  ...layerRules,
  ...inputRules,
  ...imageRules,
  ...systemRules,
  ...startRules,
  ...dockerignoreRules,
  ...flyRules,
  ...flyMachineRules,
  ...flyDataRules,
  ...healthRules,
  ...envShRules,
  ...bootRules,
  ...repoRules,
  ...endpointRules,
  ...originRules,
  ...appRules,
  ...readOnlyRules,
];
