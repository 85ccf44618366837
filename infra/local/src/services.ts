import { AuditService } from '@amana/audit';
import type { ServiceName } from '@amana/contracts';
import { HealthService } from '@amana/health';
import { IndicatorsService } from '@amana/indicators';
import { IntakeService } from '@amana/intake';
import { NotificationsService } from '@amana/notifications';
import { ReferralService } from '@amana/referral';
import type { ServiceDefinition } from '@amana/service';
import { ShelterService } from '@amana/shelter';

/** All services of the network, by name. */
export const serviceDefinitions: Readonly<Record<ServiceName, ServiceDefinition>> = {
  intake: IntakeService, referral: ReferralService, shelter: ShelterService, health: HealthService,
  notifications: NotificationsService, audit: AuditService, indicators: IndicatorsService,
};
