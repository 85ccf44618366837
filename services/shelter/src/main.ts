import { startFromEnvironment } from '@amana/service';
import { ShelterService } from './shelter.module.ts';

await startFromEnvironment(ShelterService);
