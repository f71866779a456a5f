/* SPDX-License-Identifier: BSD-3-Clause */
/* test_gtp: the tables of the gtp test's other files. */
#ifndef TANDEM_TEST_GTP_H
#define TANDEM_TEST_GTP_H

#include <CUnit/CUnit.h>

extern CU_TestInfo test_gtp_malformed[], test_gtp_pco[], test_gtp_retransmission[], test_gtp_sgsn[];

#endif
