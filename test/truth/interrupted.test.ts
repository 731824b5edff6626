import { onStage } from './stage.ts';
import { everyStory } from './stories/all.ts';

onStage({ version: '22', interrupted: true }, ...everyStory);
